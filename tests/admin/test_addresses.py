"""Addresses of the console that name no row: a sentence on the list, never an error."""

import html
import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import URLPattern

from igny8_core.auth.models import User
from tests import make
from tests.admin.samples import operator_with
from tests.api.world import fingerprint

pytestmark = pytest.mark.django_db

NO_ROW = re.compile("with the ID “abc”. It may have been deleted.")
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


@pytest.mark.stress
@pytest.mark.usefixtures("undrawn")
def test_an_id_that_no_row_has_is_answered_with_a_sentence(console: Client) -> None:
    """On every page one such id; every kind of them, and a form, on the first page of each kind."""
    before, kinds, wrong = fingerprint(), set(), {}

    for model, address in PAGES:
        answer = console.get(address.format("abc"))
        said = [str(message) for message in get_messages(answer.wsgi_request)]
        # What was said is not said again.
        console.cookies.pop("messages", None)
        is_right = answer.status_code == 404 or (answer.status_code == 302 and any(map(NO_ROW.search, said)))
        statuses = {"abc": 302 if is_right else (answer.status_code, said)}
        kind = address.partition("{}")[2]
        if kind not in kinds:
            kinds.add(kind)
            statuses |= {no_id: console.get(address.format(no_id)).status_code for no_id in NO_IDS[1:]}
            statuses["posted"] = console.post(address.format("abc")).status_code
        wrong |= {f"{model} {address} {no_id}": is_ for no_id, is_ in statuses.items() if is_ not in (302, 404)}

    assert wrong == {}
    assert fingerprint() == before


def test_the_sentence_is_read_on_the_list(console: Client) -> None:
    answer = console.get("/admin/billing/payment/abc/refund/", follow=True)

    assert answer.redirect_chain == [("/admin/billing/payment/", 302)]
    assert NO_ROW.search(html.unescape(answer.content.decode()))


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
