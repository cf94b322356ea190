"""Addresses of the console that name no row: a sentence on the list, never an error."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern

from igny8_core.auth.models import User
from tests import make
from tests.admin.samples import operator_with
from tests.api.world import fingerprint

pytestmark = pytest.mark.django_db

NO_IDS = ["abc", "0", "987654321", "9" * 30, "<b>x", "_5F"]


def about_one_row() -> Iterator[tuple[str, str]]:
    """Model and address, with `{}` for the id, of every page that is about one row."""
    for model, pages in admin.site._registry.items():
        for pattern in pages.get_urls():
            route = str(pattern.pattern)
            if isinstance(pattern, URLPattern) and ("object_id" in route or "<id>" in route):
                address = route.replace("<path:object_id>", "{}").replace("<id>", "{}")
                yield model._meta.label, f"/admin/{model._meta.app_label}/{model._meta.model_name}/{address}"


PAGES = sorted(set(about_one_row()))


def test_there_are_pages_to_look_at() -> None:
    assert {address.rstrip("/").rpartition("/")[2] for _, address in PAGES} >= {
        *("change", "delete", "history", "password", "proof", "charge", "correct", "refund"),
    }


@pytest.mark.parametrize(("model", "address"), PAGES, ids=[address for _, address in PAGES])
def test_an_id_that_no_row_has_is_answered_with_a_sentence(console: Client, model: str, address: str) -> None:
    before = fingerprint()
    answers = {wrong: console.get(address.format(wrong)) for wrong in NO_IDS}
    answers["posted"] = console.post(address.format("abc"))

    for wrong, answer in answers.items():
        assert answer.status_code in (302, 404), (wrong, answer.status_code)
    if answers["abc"].status_code == 302:
        said = [str(message) for message in console.get(answers["abc"]["Location"]).context["messages"]]
        assert any("with the ID “abc”. It may have been deleted." in sentence for sentence in said)
    assert fingerprint() == before


def test_a_dialog_on_a_row_that_is_gone_leads_to_the_list(console: Client) -> None:
    answer = console.get("/admin/billing/payment/987654321/refund/", headers={"HX-Request": "true"})

    assert answer["HX-Redirect"] == "/admin/billing/payment/"


def test_who_may_not_see_rows_is_not_told_which_there_are() -> None:
    invoice, browser = make.invoice(), Client()
    browser.force_login(operator_with("igny8_auth.view_industry"))

    answers = {
        browser.get(f"/admin/billing/invoice/{pk}/change/").status_code for pk in (invoice.pk, "987654321", "abc")
    }

    assert answers == {403}


def test_a_stranger_is_asked_to_log_in_whatever_the_id(client: Client, olga: User) -> None:
    answers = [client.get(f"/admin/billing/invoice/{pk}/change/")["Location"] for pk in ("987654321", "abc")]

    assert all(answer.startswith("/admin/login/?next=") for answer in answers)
