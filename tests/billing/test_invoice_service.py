"""Invoices: numbers without gaps, snapshots that never change, and moves that the table allows."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, InternalError, transaction

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import BillingBoundReached, InvoiceNotPayable
from igny8_core.business.billing.models import Invoice, InvoiceStatus, Payment
from igny8_core.business.billing.models.invoice import InvoiceCounter
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices.numbering import next_invoice_number
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.errors import DomainError, InvalidInput, TransitionNotAllowed
from igny8_core.events.models import Event
from tests import make
from tests.refusals import require_refusal

pytestmark = pytest.mark.django_db

LINE = {"description": "Consulting", "quantity": 2, "amount": "44.50"}


def require_refusal_of_sql(action: Callable[[], object]) -> None:
    """The database refuses the action, and no row of any table has changed."""

    def inside_a_savepoint() -> None:
        with transaction.atomic():
            action()

    require_refusal((InternalError, IntegrityError), inside_a_savepoint)


def test_an_invoice_is_pending_and_due_in_seven_days(account_a: Account, alice: User) -> None:
    with time_machine.travel(datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), tick=False):
        invoice = InvoiceService.create_invoice(account_a, [LINE], notes="Thank you", created_by=alice)

    assert (invoice.status, invoice.currency) == ("pending", "USD")
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal("89"), Decimal(0), Decimal("89"))
    assert (invoice.invoice_date, invoice.due_date) == (date(2025, 12, 31), date(2026, 1, 7))
    assert invoice.line_items == [LINE]
    assert (invoice.subscription, invoice.paid_at, invoice.notes) == (None, None, "Thank you")
    event = Event.objects.get(type="invoice.created")
    assert (event.account_id, event.actor_id) == (account_a.pk, alice.pk)
    assert event.data == {"invoice_number": invoice.invoice_number, "total": "89.00", "currency": "USD"}


# --- Numbers ------------------------------------------------------------------------------------------------------


def test_numbers_count_per_account_and_month_in_utc(account_a: Account, charlie: User) -> None:
    a, b = account_a.pk, charlie.account_id
    with time_machine.travel(datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), tick=False) as clock:
        numbers = [make.invoice(account_a).invoice_number for _ in range(2)]
        numbers.append(make.invoice(charlie.account).invoice_number)
        clock.shift(timedelta(seconds=1))
        numbers.append(make.invoice(account_a).invoice_number)

    assert numbers == [f"INV-{a}-202512-0001", f"INV-{a}-202512-0002", f"INV-{b}-202512-0001", f"INV-{a}-202601-0001"]


def test_a_rolled_back_invoice_leaves_no_gap(account_a: Account) -> None:
    first = make.invoice(account_a).invoice_number
    with transaction.atomic():
        make.invoice(account_a)
        transaction.set_rollback(True)
    with pytest.raises(DomainError):
        InvoiceService.create_invoice(account_a, [{**LINE, "amount": 44.555}])

    second = make.invoice(account_a).invoice_number

    assert (first[-4:], second[-4:]) == ("0001", "0002")


def test_a_void_invoice_keeps_its_number(account_a: Account) -> None:
    first = make.invoice(account_a)
    InvoiceService.mark_void(first, "Wrong")

    second = make.invoice(account_a)

    assert Invoice.objects.get(pk=first.pk).invoice_number.endswith("-0001")
    assert second.invoice_number.endswith("-0002")


def test_after_9999_the_number_grows_longer(account_a: Account) -> None:
    InvoiceCounter.objects.create(account=account_a, month="202601", last_number=9999)

    with transaction.atomic():
        number = next_invoice_number(account_a.pk, date(2026, 1, 1))

    assert number == f"INV-{account_a.pk}-202601-10000"


# --- What is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        [], [{}], [{**LINE, "amount": 44.555}], [{**LINE, "amount": "0"}], [{**LINE, "amount": "-1"}],
        [{**LINE, "amount": "NaN"}],
        [{**LINE, "amount": "1.001"}], [{**LINE, "amount": "1e3"}], [{**LINE, "quantity": 0}],
        [{**LINE, "quantity": 1.5}],
        [{**LINE, "description": ""}], [{**LINE, "credits": "9"}], [LINE, {**LINE, "amount": None}],
        [{**LINE, "amount": "9999999999.99", "quantity": 10**6}],
        [{**LINE, "credits": 1}, {**LINE, "credits": 1}],
    ],
    ids=str,
)  # fmt: skip
def test_lines_that_state_nothing_payable_make_no_invoice(account_a: Account, lines: list[dict[str, Any]]) -> None:
    require_refusal(DomainError, lambda: InvoiceService.create_invoice(account_a, lines))
    require_refusal(InvalidInput, lambda: InvoiceService.create_invoice(account_a, [{**LINE, "amount": "0.00"}]))


# --- Snapshots ----------------------------------------------------------------------------------------------------


def test_an_invoice_copies_the_billing_address_and_later_edits_never_reach_it(alice: User) -> None:
    columns = {
        "name": "Shop Ltd", "billing_email": "billing@example.com", "billing_address_line1": "1 Street",
        "billing_address_line2": "Floor 2", "billing_city": "Karachi", "billing_state": "Sindh",
        "billing_postal_code": "75500", "billing_country": "PK", "tax_id": "PK-1",
    }  # fmt: skip
    Account.objects.filter(pk=alice.account_id).update(**columns)
    invoice = make.invoice(alice.account)
    Account.objects.filter(pk=alice.account_id).update(**dict.fromkeys(columns, "XX"))

    snapshot = Invoice.objects.get(pk=invoice.pk).metadata["billing_snapshot"]

    assert datetime.fromisoformat(snapshot.pop("snapshot_date")).tzinfo is not None
    assert snapshot == {
        name.removeprefix("billing_"): value for name, value in columns.items()
    }  # fmt: skip
    assert Invoice.objects.get(pk=invoice.pk).billing_email == "billing@example.com"


def test_without_a_billing_address_the_owner_gets_the_invoice(alice: User) -> None:
    assert make.invoice(alice.account).billing_email == alice.email


def test_a_subscriptions_invoice_names_it_and_its_plan() -> None:
    subscription = make.subscription()
    invoice = subscription.invoices.get()

    assert invoice.metadata["subscription_id"] == subscription.pk
    assert invoice.line_items == [
        {
            "description": "Starter plan, monthly",
            "quantity": 1,
            "amount": "89.00",
            "kind": "plan",
            "plan": "starter",
            "billing_cycle": "monthly",
            "credits": 1000,
            "credits_rollover": False,
        }
    ]
    assert (invoice.billing_period_start, invoice.billing_period_end) == (None, None)


# --- Moves --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", InvoiceStatus)
def test_an_invoice_is_voided_only_while_it_is_not_final(account_a: Account, alice: User, status: str) -> None:
    invoice = make.invoice(account_a)
    paid = {"paid_at": datetime.now(UTC), "settled_amount": invoice.total} if status == "paid" else {}
    Invoice.objects.filter(pk=invoice.pk).update(status=status, **paid)

    if status in {"paid", "void"}:
        require_refusal(TransitionNotAllowed, lambda: InvoiceService.mark_void(invoice, "Wrong"))
    else:
        InvoiceService.mark_void(invoice, "Wrong", alice)
        assert Invoice.objects.get(pk=invoice.pk).status == "void"
        event = Event.objects.get(type="invoice.voided")
        assert (event.actor_id, event.data["reason"]) == (alice.pk, "Wrong")


def test_an_invoice_with_a_payment_under_way_is_not_voided(olga: User) -> None:
    payment = make.submitted_payment()
    require_refusal(TransitionNotAllowed, lambda: InvoiceService.mark_void(payment.invoice, "Wrong"))

    PaymentService.reject_manual_payment(payment, "Not seen", olga)

    assert InvoiceService.mark_void(payment.invoice, "Wrong").status == "void"


def test_only_a_captured_payment_of_exactly_this_invoice_pays_it(olga: User) -> None:
    payment, other = make.submitted_payment(), make.submitted_payment()
    require_refusal(InvoiceNotPayable, lambda: InvoiceService.mark_paid(payment.invoice, payment))
    PaymentService.approve_manual_payment(other, olga)
    other.refresh_from_db()
    require_refusal(InvoiceNotPayable, lambda: InvoiceService.mark_paid(payment.invoice, other))
    for change in ({"amount": Decimal("88.99")}, {"amount": Decimal("89.01")}, {"currency": "EUR"}):
        captured = Payment.objects.get(pk=payment.pk)
        captured.status = "succeeded"
        for name, value in change.items():
            setattr(captured, name, value)
        require_refusal(InvoiceNotPayable, lambda payment=captured: InvoiceService.mark_paid(payment.invoice, payment))


def test_what_a_paid_invoice_states_cannot_be_changed_even_by_sql(olga: User) -> None:
    invoice = PaymentService.approve_manual_payment(make.submitted_payment(), olga).invoice
    changes: list[dict[str, Any]] = [
        {"status": "pending", "paid_at": None}, {"total": 1, "subtotal": 1},
        {"invoice_number": "X"},
        {"metadata": {}}, {"currency": "EUR"}, {"due_date": date(2030, 1, 1)}, {"paid_at": datetime.now(UTC)},
    ]  # fmt: skip

    for change in changes:
        require_refusal_of_sql(lambda change=change: Invoice.objects.filter(pk=invoice.pk).update(**change))
    require_refusal_of_sql(lambda: Invoice.objects.filter(pk=invoice.pk)._raw_delete("default"))


def test_a_loop_of_invoices_of_one_subscription_is_stopped(settings: Any) -> None:
    """AMT-12: fifteen a day."""
    subscription = make.subscription()

    def order() -> None:
        InvoiceService.create_subscription_invoice(subscription)

    for _ in range(14):
        order()
    with pytest.raises(BillingBoundReached):
        order()

    assert subscription.invoices.count() == settings.MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY == 15
