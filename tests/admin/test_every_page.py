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
from tests.cases import some_of

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

# What can be added by hand.
ADDED = {
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


def address(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def label(model: type[models.Model]) -> str:
    return model._meta.label


def test_every_model_of_ours_is_registered() -> None:
    ours = {model for model in apps.get_models() if model.__module__.startswith("igny8_core.")}

    assert ours - set(REGISTERED) == set()


@pytest.mark.usefixtures("framed_once")
@pytest.mark.parametrize("model", some_of(REGISTERED, each=6, but=1), ids=label)
def test_pages_answer_with_text_of_strangers_as_text_and_a_list_costs_no_query_per_row(
    console: Client, model: type[models.Model]
) -> None:
    # Notes the use of the session, once; among what is undone it would be noted again while queries are counted.
    console.get(reverse("admin:jsi18n"))
    with undone():
        first_of_each(SCRIPT)
        row, rows_before = model._default_manager.latest("pk"), model._default_manager.count()
        # The first page alone has the frame, which asks the database too.
        searched = console.get(address(model, "changelist"), {"q": "example 7"})
        with CaptureQueriesContext(connection) as few:
            listed = console.get(address(model, "changelist"))
        pages = [
            listed,
            searched,
            console.get(address(model, "change", row.pk)),
            console.get(address(model, "history", row.pk)),
        ]
    three_of_each()
    with CaptureQueriesContext(connection) as many:
        console.get(address(model, "changelist"))

    texts = [page.content.decode() for page in pages]
    assert [page.status_code for page in pages] == [200, 200, 200, 200]
    assert admin.site._registry[model].search_fields
    assert all(SCRIPT not in text and "<script>alert" not in text for text in texts)
    assert label(model) in WITHOUT_TEXT or "&lt;script&gt;" in texts[0] + texts[2]
    assert label(model) in ONE_ROW or model._default_manager.count() > rows_before
    assert label(model) in ONE_ROW or len(many) == len(few), [query["sql"] for query in many]


@pytest.mark.parametrize("model", [model for model in REGISTERED if label(model) in ADDED], ids=label)
def test_add_page_answers_where_adding_is_allowed(console: Client, model: type[models.Model]) -> None:
    assert console.get(address(model, "add")).status_code == 200


@pytest.mark.usefixtures("undrawn")
def test_add_page_is_refused_everywhere_else(console: Client) -> None:
    others = [model for model in REGISTERED if label(model) not in ADDED]

    statuses = {label(model): console.get(address(model, "add")).status_code for model in others}

    assert statuses == dict.fromkeys(map(label, others), 403)


def test_first_page_shows_text_of_strangers_as_text(console: Client) -> None:
    first_of_each(SCRIPT)

    page = console.get(reverse("admin:index")).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
