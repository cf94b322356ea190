"""Money of a payment given back: how much, with which credits, and what it leaves behind (threats.md REF, CRD-05)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService

from igny8_core.auth.models import Account, Role, User
from igny8_core.business.billing.errors import (
    GatewayNotConfigured,
    OwnAccountPayment,
    PaymentNotRefundable,
    RefundExceedsPayment,
)
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, CreditNote, CreditTransaction, Invoice, Payment
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.common.money import InvalidAmount
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(olga: User) -> Payment:
    """89.00 captured for a plan with 1000 credits."""
    return PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment


def refund(payment: Payment, amount: str | None = None, **fields: Any) -> CreditNote:
    return PaymentService.process_refund(
        Payment.objects.get(pk=payment.pk), Decimal(amount) if amount else None, **{"reason": "Goodwill", **fields}
    )


def balance(payment: Payment) -> int:
    return Account.objects.get(pk=payment.account_id).credits


def require_sound() -> None:
    assert broken_invariants() == []


# --- How much -------------------------------------------------------------------------------------------------------


def test_a_full_refund_gives_back_all_and_takes_back_every_credit(payment: Payment, olga: User) -> None:
    note = refund(payment, reason="Ordered twice", reference="TR-1", refunded_by=olga)

    payment.refresh_from_db()
    month = f"{note.created_at:%Y%m}"
    assert note.credit_note_number == f"CN-{payment.account_id}-{month}-0001"
    assert (note.amount, note.currency, note.reason, note.reference) == (89, "USD", "Ordered twice", "TR-1")
    assert (note.credits_taken_back, note.credits_not_recovered, note.created_by) == (1000, 0, olga)
    assert (note.payment_id, note.invoice_id, note.account_id) == (payment.pk, payment.invoice_id, payment.account_id)
    assert (payment.status, payment.refunded_amount, balance(payment)) == ("refunded", 89, 0)
    entry = CreditTransaction.objects.get(account=payment.account, transaction_type="refund")
    assert (entry.amount, entry.balance_after, entry.source) == (-1000, 0, f"credit_note:{note.credit_note_number}")
    require_sound()


def test_the_invoice_stays_paid_and_the_subscription_goes_on(payment: Payment) -> None:
    refund(payment)

    invoice = Invoice.objects.select_related("subscription", "account").get(pk=payment.invoice_id)
    assert (invoice.status, invoice.subscription.status, invoice.account.status) == ("paid", "active", "active")


@pytest.mark.parametrize(
    ("parts", "credits"),
    [
        (["29.67", "29.67", "29.66"], [333, 333, 334]),
        (["0.01", "88.99"], [0, 1000]),
        (["0.08", "0.01", "88.91"], [0, 1, 999]),
        (["44.50", "44.50"], [500, 500]),
    ],
    ids=str,
)
def test_parts_of_a_refund_take_back_credits_that_add_up_to_all(
    payment: Payment, parts: list[str], credits: list[int]
) -> None:
    notes = [refund(payment, part) for part in parts]

    assert [note.credits_taken_back for note in notes] == credits
    assert [int(note.credit_note_number[-4:]) for note in notes] == list(range(1, len(parts) + 1))
    assert (balance(payment), Payment.objects.get(pk=payment.pk).status) == (0, "refunded")
    require_sound()


def test_a_partial_refund_can_be_followed_by_another_and_by_the_rest(payment: Payment) -> None:
    statuses = []
    for amount in ("10.00", "20.00", None):
        refund(payment, amount)
        payment.refresh_from_db()
        statuses.append((payment.status, payment.refunded_amount))

    assert statuses == [("partially_refunded", 10), ("partially_refunded", 30), ("refunded", 89)]
    require_sound()


@pytest.mark.parametrize("before", ["0", "88.99", "10.00"])
def test_a_cent_more_than_is_left_is_refused_and_what_is_left_is_given(payment: Payment, before: str) -> None:
    if before != "0":
        refund(payment, before)
    left = Decimal("89.00") - Decimal(before)
    state = fingerprint()

    with pytest.raises(RefundExceedsPayment, match=f"{left} USD is left"):
        refund(payment, str(left + Decimal("0.01")))

    assert fingerprint() == state
    assert refund(payment, str(left)).amount == left


@pytest.mark.parametrize(
    "amount",
    ["0", "-1", "-0.01", "1.001", "1.000", "NaN", "sNaN", "Infinity", "-Infinity", 10.001, -5.0, 0, "text", True],
)
def test_what_is_no_amount_of_the_currency_is_refused(payment: Payment, amount: Any) -> None:
    state = fingerprint()
    wanted = Decimal(amount) if isinstance(amount, str) and amount != "text" else amount

    with pytest.raises(InvalidAmount):
        PaymentService.process_refund(payment, wanted, reason="x")

    assert fingerprint() == state


@pytest.mark.parametrize("typed", [10.00, 10, "10.00"], ids=repr)
def test_an_amount_typed_in_a_shell_is_given_back_to_the_cent(payment: Payment, typed: float | str) -> None:
    given = PaymentService.process_refund(payment, typed)

    assert (given.amount, CreditNote.objects.get().amount) == (Decimal("10.00"), Decimal("10.00"))
    require_sound()


def test_a_currency_without_decimals_is_refunded_without_decimals(olga: User) -> None:
    make.plan("yen", currency="JPY", price=Decimal(8900))
    invoice = make.subscription(plan_ordered=make.plan("yen")).invoices.get()
    payment = PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga).payment

    with pytest.raises(InvalidAmount):
        refund(payment, "100.5")

    assert refund(payment, "890").credits_taken_back == 100


# --- Which payments -------------------------------------------------------------------------------------------------


def approved(olga: User) -> Payment:
    return PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment


def rejected(olga: User) -> Payment:
    return PaymentService.reject_manual_payment(make.submitted_payment(), "Not seen", olga)


def refunded(olga: User) -> Payment:
    payment = approved(olga)
    refund(payment)
    return payment


def disputed(olga: User) -> Payment:
    payment = approved(olga)
    Payment.objects.filter(pk=payment.pk).update(status="disputed")
    return payment


@pytest.mark.parametrize("made", [lambda olga: make.submitted_payment(), rejected, refunded, disputed])
@pytest.mark.parametrize("amount", [None, "0.01", "89.00"])
def test_only_captured_money_can_go_back_and_only_once(
    olga: User, made: Callable[[User], Payment], amount: str | None
) -> None:
    payment = made(olga)
    state = fingerprint()

    with pytest.raises(PaymentNotRefundable):
        refund(payment, amount)

    assert fingerprint() == state


@pytest.mark.parametrize("method", ["stripe", "paypal"])
def test_money_of_a_gateway_waits_for_the_gateway(payment: Payment, method: str) -> None:
    Payment.objects.filter(pk=payment.pk).update(payment_method=method)
    state = fingerprint()

    with pytest.raises(GatewayNotConfigured) as refusal:
        refund(payment)

    assert refusal.value.retry_after
    assert fingerprint() == state


def test_nobody_refunds_a_payment_of_their_own_account(payment: Payment) -> None:
    member = make.operator(account=payment.account, role=Role.ADMIN)
    state = fingerprint()

    with pytest.raises(OwnAccountPayment):
        refund(payment, refunded_by=member)

    assert fingerprint() == state


def test_a_payment_that_bought_no_credits_takes_none_back(olga: User) -> None:
    payment = PaymentService.approve_manual_payment(make.submitted_payment(make.invoice()), olga).payment
    make.credits(payment.account, 70)

    note = refund(payment)

    assert (note.credits_taken_back, note.credits_not_recovered, balance(payment)) == (0, 0, 70)
    require_sound()


# --- Credits that are spent (CRD-05) --------------------------------------------------------------------------------


@pytest.mark.parametrize("spent", [0, 1, 400, 999, 1000])
def test_what_is_spent_of_the_credits_is_stated_and_not_collected(payment: Payment, spent: int) -> None:
    make.credits(payment.account, 50)
    if spent:
        CreditService.spend(payment.account, spent, operation_type="article")

    note = refund(payment)

    assert (note.credits_taken_back, note.credits_not_recovered) == (1000 - spent, spent)
    # The grant that was a gift is left alone.
    assert balance(payment) == 50
    assert CreditGrant.objects.get(source=f"invoice:{payment.invoice_id}").remaining == 0
    require_sound()


def test_parts_take_from_what_is_left_and_count_what_is_spent_once(payment: Payment) -> None:
    CreditService.spend(payment.account, 700, operation_type="article")

    notes = [refund(payment, part) for part in ("44.50", "22.25", "22.25")]

    pairs = [(note.credits_taken_back, note.credits_not_recovered) for note in notes]
    assert pairs == [(300, 200), (0, 250), (0, 250)]
    assert balance(payment) == 0
    require_sound()


def test_credits_that_are_taken_back_are_only_of_the_payment_itself(payment: Payment, olga: User) -> None:
    renewal = make.submitted_payment(make.invoice(payment.account))
    other = PaymentService.approve_manual_payment(renewal, olga).payment

    refund(other)

    assert balance(payment) == 1000
    require_sound()


# --- What it leaves behind ------------------------------------------------------------------------------------------


def test_a_refund_is_told_once_with_all_that_it_did(payment: Payment, olga: User) -> None:
    CreditService.spend(payment.account, 950, operation_type="article")

    note = refund(payment, "44.50", reason="Half used", refunded_by=olga)

    event = Event.objects.get(type="payment.refunded")
    assert (event.object_type, event.object_id) == ("billing.payment", str(payment.pk))
    assert (event.account_id, event.actor_id) == (payment.account_id, olga.pk)
    assert event.data == {
        "credit_note": note.credit_note_number,
        "invoice_id": payment.invoice_id,
        "invoice_number": payment.invoice.invoice_number,
        "amount": "44.50",
        "currency": "USD",
        "payment_method": "bank_transfer",
        "reason": "Half used",
        "credits_taken_back": 50,
        "credits_not_recovered": 450,
    }
    taken = Event.objects.get(type="credits.taken_back")
    assert taken.data == {"amount": 50, "source": f"credit_note:{note.credit_note_number}", "balance_after": 0}


def test_a_credit_note_is_never_changed_or_deleted(payment: Payment) -> None:
    note = refund(payment)

    for change in (lambda: CreditNote.objects.update(amount=1), lambda: note.delete(), lambda: note.save()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


def test_credit_notes_are_numbered_beside_the_invoices_of_the_account(payment: Payment) -> None:
    refund(payment, "1.00")
    invoice = make.invoice(payment.account)
    second = refund(payment, "1.00")

    assert invoice.invoice_number.endswith("-0002")
    assert second.credit_note_number.endswith("-0002")
    require_sound()


def test_a_refunded_invoice_is_not_voided_and_the_reference_still_counts_as_used(payment: Payment) -> None:
    refund(payment)

    with pytest.raises(TransitionNotAllowed):
        InvoiceService.mark_void(payment.invoice, "x")
    again = make.submitted_payment(reference=payment.manual_reference)
    assert again.metadata == {"duplicate_of": payment.pk}
