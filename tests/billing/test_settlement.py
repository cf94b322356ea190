"""Money stands against invoices in allocations; an invoice is paid when its total is settled, and grants once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.payment_service import PaymentService

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import InvoiceNotPayable
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import (
    Allocation,
    CreditGrant,
    CreditGrantKind,
    CreditTransaction,
    CreditTransactionType,
    Invoice,
    Payment,
)
from igny8_core.business.billing.services.settlement import capture
from igny8_core.common.db import service_transaction
from tests import make
from tests.billing.breaking import run, unguarded

pytestmark = pytest.mark.django_db


def paid(olga: User) -> Payment:
    return PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment


def granted_for_its_payment(payment: Payment) -> None:
    """The books as an earlier release kept them: credits follow the payment."""
    unguarded("igny8_credit_transactions")
    for table in ("igny8_credit_grants", "igny8_credit_transactions"):
        old, new = f"invoice:{payment.invoice_id}", f"payment:{payment.pk}"
        run(f"UPDATE {table} SET source = %s WHERE source = %s", new, old)


def test_an_approval_puts_the_money_against_the_invoice(olga: User) -> None:
    payment = paid(olga)

    allocation, invoice = Allocation.objects.get(), Invoice.objects.get()
    assert (allocation.account, allocation.invoice, allocation.payment) == (payment.account, invoice, payment)
    assert (allocation.kind, allocation.amount, allocation.currency) == ("money", invoice.total, "USD")
    assert (allocation.made_by, allocation.released_at) == (olga, None)
    assert (invoice.status, invoice.settled_amount, payment.invoice.settled_amount) == ("paid", *[invoice.total] * 2)
    assert broken_invariants() == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE igny8_invoices SET settled_amount = -1",
        "UPDATE igny8_invoices SET settled_amount = total + 1",
        "UPDATE igny8_invoices SET settled_amount = total",
        "UPDATE igny8_invoices SET status = 'paid', paid_at = now()",
        "UPDATE igny8_invoices SET status = 'paid', paid_at = now(), settled_amount = total - 1",
        "UPDATE igny8_invoices SET status = 'draft', settled_amount = 1",
        "UPDATE igny8_invoices SET status = 'void', settled_amount = 1",
    ],
)
def test_no_statement_makes_status_and_settled_amount_disagree(sql: str) -> None:
    make.invoice()

    with pytest.raises(IntegrityError, match="igny8_invoices_"), transaction.atomic():
        run(sql)


@pytest.mark.parametrize(
    "change",
    [
        "amount = 1",
        "currency = 'EUR'",
        "payment_id = payment_id + 1",
        "made_by_id = NULL",
        "released_at = now(), release_reason = 'Wrong invoice'",
    ],
)
def test_an_allocation_of_a_paid_invoice_stays_as_it_was_made(olga: User, change: str) -> None:
    paid(olga)

    with pytest.raises(IntegrityError, match="is kept as it is"), transaction.atomic():
        run(f"UPDATE igny8_allocations SET {change}")
    with pytest.raises(IntegrityError), transaction.atomic():
        run("DELETE FROM igny8_allocations")


def open_allocation(olga: User) -> Allocation:
    """One that stands against an invoice which is not settled by it alone."""
    payment = paid(olga)
    invoice = make.invoice(payment.account)
    # A release comes with what it takes from the invoice; here only the row's own rules are asked.
    values = {"account": payment.account, "invoice": invoice, "payment": payment}
    return Allocation.objects.create(**values, amount=1, currency="USD")


def test_an_allocation_of_an_open_invoice_is_released_once(olga: User) -> None:
    allocation = open_allocation(olga)
    release = "UPDATE igny8_allocations SET released_at = now(), release_reason = %s WHERE id = %s"
    with pytest.raises(IntegrityError, match="release_has_reason"), transaction.atomic():
        run(release, "", allocation.pk)
    with pytest.raises(IntegrityError, match="is kept as it is"), transaction.atomic():
        run("UPDATE igny8_allocations SET amount = 2 WHERE id = %s", allocation.pk)

    run(release, "Wrong invoice", allocation.pk)

    with pytest.raises(IntegrityError, match="is kept as it is"), transaction.atomic():
        run(release, "Another reason", allocation.pk)


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("igny8_allocations_one_live", lambda row: {}),
        ("igny8_allocations_amount_positive", lambda row: {"amount": 0, "payment": paid(make.operator())}),
        ("igny8_allocations_money_has_payment", lambda row: {"payment": None}),
        ("igny8_allocations_invoice_same_account", lambda row: {"invoice": make.invoice()}),
        ("igny8_allocations_payment_same_account", lambda row: {"payment": make.submitted_payment()}),
    ],
)
def test_an_allocation_that_says_nothing_true_is_refused_by_the_database(
    olga: User, constraint: str, change: Callable[[Allocation], dict[str, Any]]
) -> None:
    row = open_allocation(olga)
    values = {"account": row.account, "invoice": row.invoice, "payment": row.payment, "amount": 1, "currency": "USD"}
    changed = values | change(row)

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Allocation.objects.create(**changed)


def test_credits_follow_the_invoice(olga: User) -> None:
    invoice = paid(olga).invoice

    assert CreditGrant.objects.get().source == f"invoice:{invoice.pk}"
    assert CreditTransaction.objects.get().source == f"invoice:{invoice.pk}"


def test_a_second_capture_of_an_invoice_grants_and_allocates_nothing(olga: User) -> None:
    payment = paid(olga)
    granted_for_its_payment(payment)
    Payment.objects.filter(pk=payment.pk).update(status="pending_approval")
    again = Payment.objects.select_related("invoice__subscription__plan", "account").get()

    with pytest.raises(InvoiceNotPayable):
        service_transaction(capture)(again, by=olga)

    assert (CreditGrant.objects.count(), Allocation.objects.count()) == (1, 1)


@pytest.mark.parametrize("is_old", [False, True], ids=["granted for the invoice", "granted for its payment"])
def test_the_credits_of_an_invoice_are_granted_once_whatever_they_were_granted_for(olga: User, is_old: bool) -> None:
    payment = paid(olga)
    if is_old:
        granted_for_its_payment(payment)

    entry = CreditService.grant(
        payment.account,
        1000,
        kind=CreditGrantKind.PLAN,
        transaction_type=CreditTransactionType.SUBSCRIPTION,
        source=f"invoice:{payment.invoice_id}",
        description="Once more",
    )

    assert (entry.repeated, entry.id) == (True, CreditTransaction.objects.get().pk)
    assert CreditGrant.objects.get().amount == 1000
    assert broken_invariants() == []


@pytest.mark.parametrize("is_old", [False, True], ids=["granted for the invoice", "granted for its payment"])
def test_a_refund_takes_back_the_credits_whatever_they_were_granted_for(olga: User, is_old: bool) -> None:
    payment = paid(olga)
    if is_old:
        granted_for_its_payment(payment)

    note = PaymentService.process_refund(payment, reason="Goodwill")

    assert (note.credits_taken_back, note.credits_not_recovered) == (1000, 0)
    assert broken_invariants() == []
