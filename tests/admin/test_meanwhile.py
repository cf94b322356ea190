"""While a form of the console is open or being saved, others change the same row: what they wrote stays."""

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from igny8_core.auth.models import Account, Industry, Plan, User
from igny8_core.business.billing.models import CreditCostConfig, CreditPackage, Invoice, PaymentMethodConfig
from igny8_core.common.strict_forms import StrictForm
from tests import make
from tests.admin.samples import first_of_each
from tests.admin.test_both_doors import as_sent, page_of
from tests.admin.test_every_page import address
from tests.api.world import fingerprint

pytestmark = pytest.mark.django_db

# What the operator types, and what somebody else writes after the form was read and before it is saved.
EDITS: list[tuple[type[Model], dict[str, str], dict[str, Any]]] = [
    (Account, {"billing_city": "Lahore"}, {"credits": 7, "stripe_customer_id": "cus_1", "status": "active"}),
    (User, {"last_name": "Doe"}, {"password": "!reset-meanwhile", "first_name": "Ann"}),
    (Plan, {"sort_order": "9"}, {"price": 55, "is_public": False}),
    (CreditPackage, {"sort_order": "9"}, {"price": 55, "is_active": False}),
    (CreditCostConfig, {"unit": "page"}, {"credits_per_unit": 77}),
    (PaymentMethodConfig, {"sort_order": "9"}, {"account_number": "777", "is_enabled": False}),
    (Industry, {"name": "Trade"}, {"is_active": False}),
    (Invoice, {"notes": "Thank you"}, {"metadata": {"billing_snapshot": {}}}),
]


def row_of(model: type[Model]) -> Any:
    """A row that can be edited."""
    account = first_of_each("x")
    rows = {Account: account, User: account.owner}
    if model is Invoice:
        return make.invoice(account)
    return rows[model] if model in rows else model._default_manager.latest("pk")


@pytest.mark.parametrize(("model", "typed", "meanwhile"), EDITS, ids=lambda value: getattr(value, "__name__", ""))
def test_only_what_an_operator_changed_is_written(
    console: Client,
    monkeypatch: pytest.MonkeyPatch,
    model: type[Model],
    typed: dict[str, str],
    meanwhile: dict[str, Any],
) -> None:
    row, judge = row_of(model), StrictForm.clean
    sent = as_sent(page_of(console, row)) | typed

    def clean(form: StrictForm) -> dict[str, Any] | None:
        model._default_manager.filter(pk=row.pk).update(**meanwhile)
        return judge(form)

    monkeypatch.setattr(StrictForm, "clean", clean)

    assert console.post(address(model, "change", row.pk), sent).status_code == 302

    stored = model._default_manager.get(pk=row.pk)
    assert {name: str(getattr(stored, name)) for name in typed} == typed
    assert {name: getattr(stored, name) for name in meanwhile} == meanwhile


def test_a_form_that_changes_nothing_writes_nothing_but_its_event(console: Client) -> None:
    account = row_of(Account)
    sent = as_sent(page_of(console, account))
    before = fingerprint()

    assert console.post(address(Account, "change", account.pk), sent).status_code == 302

    after = fingerprint()
    assert {table for table in before if before[table] != after[table]} <= {"igny8_events", "igny8_deliveries"}
