"""Every type of event is declared once, and what is declared is what the code records and the documentation lists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

import igny8_core
from igny8_core.auth.models import Account, User
from igny8_core.business.billing.ledger import SPEND
from igny8_core.business.billing.models import CreditCostConfig, PaymentMethodConfig
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.console.pages import ConsoleAdmin, ReadOnlyAdmin
from igny8_core.events import consumers, deliveries, registry
from igny8_core.events.models import Delivery, Event
from igny8_core.events.registry import UnknownEventType
from igny8_core.events.services import NewEvent, about, record
from tests import make

ROOT = Path(igny8_core.__file__).parent
DOCUMENT = ROOT.parent / "docs" / "events.md"
# What makes an event of its first argument, the type.
BUILDERS = re.compile(r"NewEvent|about|configured|_?\w*event|_record|transition_account")
NAME = re.compile(r"[a-z_]+\.[a-z_]+")
# Put together from a refund's status.
COMPOSED = {"refund.processing", "refund.unknown"}


def recorded_types() -> Iterator[str]:
    """The literals with which events are made."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and BUILDERS.fullmatch(_called(node)):
                yield from (
                    part.value
                    for argument in node.args
                    for part in ast.walk(argument)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and NAME.fullmatch(part.value)
                )


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def console_types() -> set[str]:
    pages = [page for page in admin.site._registry.values() if isinstance(page, ConsoleAdmin)]
    nouns = {page.event_noun or page.opts.model_name for page in pages if not isinstance(page, ReadOnlyAdmin)}
    return {f"{noun}.{done}" for noun in nouns for done in ("created", "updated", "deleted")}


def test_what_the_code_records_is_declared() -> None:
    recorded = set(recorded_types())

    assert len(recorded) > 60
    assert {name for name in recorded if name.partition(".")[0] != "customer"} <= {
        kind.name for kind in registry.all_types()
    }


def test_what_is_declared_is_recorded_somewhere() -> None:
    everything = "\n".join(path.read_text() for path in ROOT.rglob("*.py") if path.name != "event_types.py")
    declared = {kind.name for kind in registry.all_types()}

    silent = {name for name in declared if f'"{name}"' not in everything and f"'{name}'" not in everything}

    assert silent <= COMPOSED | console_types()


def test_a_page_of_the_console_that_writes_has_its_types_declared() -> None:
    for page in admin.site._registry.values():
        if isinstance(page, ConsoleAdmin) and not isinstance(page, ReadOnlyAdmin):
            kind = registry.event_type(f"{page.event_noun or page.opts.model_name}.updated")
            assert kind.subjects == (page.opts.label_lower,)


def test_the_documentation_lists_all_types() -> None:
    assert registry.as_table() in DOCUMENT.read_text()


def test_a_type_is_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        registry.register("billing.payment", {"payment.approved": "Once more."})


@pytest.mark.django_db
def test_an_event_that_nobody_declared_is_refused_with_its_change(account_a: Account) -> None:
    with pytest.raises(UnknownEventType, match=r"payment\.aproved"), transaction.atomic():
        record(about("payment.aproved", account_a))
    with pytest.raises(UnknownEventType, match="not declared for the model"), transaction.atomic():
        record(NewEvent("payment.approved", account_a, account_a.pk))

    assert not Event.objects.filter(type__startswith="payment.").exists()


def test_nobody_subscribes_to_what_is_never_recorded() -> None:
    with pytest.raises(UnknownEventType):
        consumers.register("typo", ["payment.aproved"], lambda event: None)

    assert "typo" not in consumers._consumers


# --- Through every door ---------------------------------------------------------------------------------------------


@pytest.fixture
def told_of_spends() -> Iterator[list[Event]]:
    """The events that a consumer of credits.spent was called with."""
    told: list[Event] = []
    consumers.register("test", ["credits.spent"], told.append)
    yield told
    consumers._consumers.pop("test")


@pytest.mark.parametrize("prepared", [True, False])
def test_a_consumer_is_told_of_each_spend_once(
    account_a: Account, told_of_spends: list[Event], settings: Any, prepared: bool
) -> None:
    settings.DATABASE_PREPARED_STATEMENTS = prepared
    make.credits(account_a, 10)
    for _ in range(2):
        CreditService.spend(account_a, 3, operation_type="article", key="K-1")

    deliveries.deliver_due()
    deliveries.deliver_due()

    (event,) = told_of_spends
    assert (event.type, event.account_id, event.data["amount"]) == ("credits.spent", account_a.pk, 3)
    assert Delivery.objects.get(consumer="test").status == "done"


def test_a_spend_of_which_nobody_wants_to_know_leaves_no_delivery(account_a: Account) -> None:
    make.credits(account_a, 10)

    CreditService.spend(account_a, 3, operation_type="article")

    assert Event.objects.filter(type="credits.spent").count() == 1
    assert not Delivery.objects.filter(event__type="credits.spent").exists()


def test_what_writes_events_writes_their_deliveries() -> None:
    """Any SQL that adds to the log, so that no event is hidden from those who want to be told."""
    writers = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "migrations" not in path.parts and re.search(r"INSERT\s+INTO\s+igny8_events", path.read_text())
    }

    assert writers == {"events/services.py", "business/billing/ledger.py"}
    assert all("INSERT INTO igny8_event_deliveries" in (ROOT / name).read_text() for name in writers)
    assert "igny8_event_deliveries" in SPEND.sql


def _posted(client: Client, row: Any, **changes: Any) -> None:
    path = f"/admin/billing/{row._meta.model_name}/{row.pk}/change/"
    page = client.get(path)
    initial = page.context["adminform"].form.initial
    form = {name: value for name, value in initial.items() if value is not None and value is not False}
    answer = client.post(path, {**form, **changes})
    assert answer.status_code == 302, answer.context["adminform"].form.errors


@pytest.mark.parametrize("door", ["console", "API"])
@pytest.mark.parametrize(
    ("configured", "path", "changes", "event_type"),
    [
        (
            make.payment_method,
            "payment-methods",
            {"display_name": "Wire"},
            "payment_method_config.updated",
        ),
        (make.credit_cost, "credit-costs", {"credits_per_unit": 7}, "credit_cost.updated"),
    ],
)
def test_a_change_has_one_name_and_says_the_same_through_every_door(
    door: str, configured: Any, path: str, changes: dict[str, Any], event_type: str, olga: User, as_user: Any
) -> None:
    row: PaymentMethodConfig | CreditCostConfig = configured()
    if door == "console":
        console = Client()
        console.force_login(olga)
        _posted(console, row, **changes)
    else:
        api: APIClient = as_user(olga)
        assert api.patch(f"/api/v1/admin/{path}/{row.pk}/", changes, format="json").status_code == 200

    (event,) = Event.objects.filter(object_type=row._meta.label_lower)
    row.refresh_from_db()
    assert (event.type, event.actor, event.data) == (event_type, olga, {"name": str(row), "changed": changes})


def test_what_is_saved_unchanged_is_no_event(olga: User, as_user: Any) -> None:
    row = make.credit_cost()

    as_user(olga).patch(f"/api/v1/admin/credit-costs/{row.pk}/", {"unit": row.unit}, format="json")

    assert not Event.objects.filter(object_type="billing.creditcostconfig").exists()


def test_of_people_the_log_has_the_changed_columns_and_no_values(olga: User, alice: User) -> None:
    User.objects.filter(pk=olga.pk).update(is_superuser=True)
    console = Client()
    console.force_login(olga)
    path = f"/admin/igny8_auth/user/{alice.pk}/change/"
    form = {n: v for n, v in console.get(path).context["adminform"].form.initial.items() if v not in (None, False)}

    console.post(path, {**form, "first_name": "Alicia", "groups": []})

    event = Event.objects.get(type="user.updated")
    assert (event.object_id, event.data) == (str(alice.pk), {"changed": ["first_name"]})
