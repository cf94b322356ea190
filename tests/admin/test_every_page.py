"""Every model has its pages, they answer, they show text as text, and a list costs the same however long it is."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.samples import first_of_each, three_of_each
from tests.api.world import undone

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
SCRIPT = "<script>alert('x')</script>"
# What is shown to operators of text that people wrote.
WITHOUT_TEXT = {
    "billing.Allocation",
    "billing.DailySum",
    "billing.DailySumMark",
    "billing.UsageHourMark",
    "billing.UsageSumMark",
    "common.IdempotentAnswer",
    "common.LimitHit",
    "common.RateCounter",
    "common.SentMail",
    "events.TaskRun",
    "events.Delivery",
    "igny8_auth.KnownPlace",
    "igny8_auth.LoginFailure",
    "igny8_auth.LoginSession",
    "igny8_auth.OperatorInvitation",
    "igny8_auth.RecoveryCode",
    "igny8_auth.SecondFactor",
    "igny8_auth.TrialTaken",
}
# There is never a second row.
ONE_ROW = {"billing.DailySumMark", "billing.UsageHourMark", "billing.UsageSumMark"}
SHOWS_TEXT = [model for model in REGISTERED if model._meta.label not in WITHOUT_TEXT]


def address(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def label(model: type[models.Model]) -> str:
    return model._meta.label


def test_every_model_of_ours_is_registered() -> None:
    ours = {model for model in apps.get_models() if model.__module__.startswith("igny8_core.")}

    assert ours - set(REGISTERED) == set()


@pytest.mark.parametrize("model", REGISTERED, ids=label)
def test_list_search_change_and_history_pages_answer(console: Client, model: type[models.Model]) -> None:
    first_of_each()
    row = model._default_manager.latest("pk")

    statuses = [
        console.get(address(model, "changelist")).status_code,
        console.get(address(model, "changelist"), {"q": "example 7"}).status_code,
        console.get(address(model, "change", row.pk)).status_code,
        console.get(address(model, "history", row.pk)).status_code,
    ]

    assert statuses == [200, 200, 200, 200]
    assert admin.site._registry[model].search_fields


@pytest.mark.parametrize("model", REGISTERED, ids=label)
def test_add_page_answers_where_adding_is_allowed(console: Client, model: type[models.Model]) -> None:
    allowed = {
        "auth.Group",
        "billing.BusinessDay",
        "billing.CreditCostConfig",
        "billing.CreditPackage",
        "billing.Invoice",
        "billing.PaymentMethodConfig",
        "igny8_auth.Industry",
        "igny8_auth.Plan",
        "igny8_auth.User",
    }

    response = console.get(address(model, "add"))

    assert response.status_code == (200 if model._meta.label in allowed else 403)


@pytest.mark.parametrize("model", [model for model in REGISTERED if model._meta.label not in ONE_ROW], ids=label)
def test_list_costs_no_query_per_row(console: Client, model: type[models.Model]) -> None:
    with undone():
        first_of_each()
        with CaptureQueriesContext(connection) as few:
            console.get(address(model, "changelist"))
        rows_before = model._default_manager.count()
    three_of_each()

    with CaptureQueriesContext(connection) as many:
        console.get(address(model, "changelist"))

    assert model._default_manager.count() > rows_before
    assert len(many) == len(few), [query["sql"] for query in many]


@pytest.mark.parametrize("model", SHOWS_TEXT, ids=label)
def test_text_of_strangers_is_shown_as_text(console: Client, model: type[models.Model]) -> None:
    first_of_each(SCRIPT)
    row = model._default_manager.latest("pk")

    pages = [
        console.get(address(model, "changelist")).content.decode(),
        console.get(address(model, "change", row.pk)).content.decode(),
    ]

    assert all(SCRIPT not in page and "<script>alert" not in page for page in pages)
    assert "&lt;script&gt;" in "".join(pages)


def test_first_page_shows_text_of_strangers_as_text(console: Client) -> None:
    first_of_each(SCRIPT)

    page = console.get(reverse("admin:index")).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
