"""Giving money back through Stripe, and money that went back without us (docs/gateways.md section 7)."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, User
from igny8_core.business.billing import errors
from igny8_core.business.billing.gateways.protocol import ChargeState
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditNote, Payment, Refund
from igny8_core.business.billing.services.collection.outcomes import apply_charge
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.polling import check_payment_now, poll_due, return_money
from igny8_core.business.billing.services.refunds.gateway_refunds import sync_refunds
from igny8_core.events.models import Event
from tests import make
from tests.rows import now

pytestmark = pytest.mark.django_db
WHOLE, PART = Decimal("89.00"), Decimal("30.00")


@pytest.fixture
def payment(stripe: FakeStripe) -> Iterator[Payment]:
    """89.00 USD paid by card for a plan with 1000 credits; the books balance afterwards."""
    invoice = make.subscription().invoices.get()
    saved = make.saved_card(stripe, invoice.account).gateway_method_id
    yield PaymentService.create_stripe_payment(invoice, saved).payment
    assert broken_invariants() == []


def refund(payment: Payment, amount: Decimal | None = None, **fields: Any) -> CreditNote:
    return PaymentService.process_refund(payment, amount, reason="Goodwill", **fields)


def given_back(stripe: FakeStripe) -> int:
    """Cents that Stripe has given back."""
    return sum(each["amount"] for each in stripe.all("refund") if each["status"] == "succeeded")


def due(row: Payment | Refund) -> None:
    type(row).objects.filter(pk=row.pk).update(next_check_at=timezone.now())


def test_all_of_it_goes_back_with_a_credit_note_and_the_credits(
    stripe: FakeStripe, payment: Payment, olga: User
) -> None:
    note = refund(payment, refunded_by=olga)

    made = Refund.objects.get()
    assert (now(payment).status, note.amount, note.credits_taken_back) == ("refunded", WHOLE, 1000)
    assert (made.status, made.credit_note, made.requested_by) == ("succeeded", note, olga)
    assert note.gateway_refund_id == made.gateway_refund_id != ""
    assert given_back(stripe) == 8900
    assert Account.objects.get(pk=payment.account_id).credits == 0


def test_parts_add_up_and_never_to_more_than_came_in(stripe: FakeStripe, payment: Payment) -> None:
    notes = [refund(payment, PART), refund(payment, Decimal("59.00"))]

    for too_much in (Decimal("0.01"), None):
        with pytest.raises(errors.PaymentNotRefundable):
            refund(payment, too_much)

    assert [note.credits_taken_back for note in notes] == [337, 663]
    assert (now(payment).status, now(payment).refunded_amount, given_back(stripe)) == ("refunded", WHOLE, 8900)


def test_more_than_is_left_is_refused_before_the_gateway_is_asked(stripe: FakeStripe, payment: Payment) -> None:
    refund(payment, PART)

    with pytest.raises(errors.RefundExceedsPayment):
        refund(payment, Decimal("59.01"))

    assert (Refund.objects.count(), given_back(stripe)) == (1, 3000)


def test_credits_that_were_spent_are_stated_and_the_balance_stays_above_zero(
    stripe: FakeStripe, payment: Payment
) -> None:
    CreditService.spend(payment.account, 900, operation_type="article")

    note = refund(payment)

    assert (note.credits_taken_back, note.credits_not_recovered) == (100, 900)


def test_a_refusal_of_the_gateway_changes_nothing_and_says_why(stripe: FakeStripe, payment: Payment) -> None:
    stripe.refund_in_dashboard(payment.gateway_object_id)

    with pytest.raises(errors.RefundRefused):
        refund(payment)

    assert Refund.objects.get().status == "failed"
    assert (now(payment).status, now(payment).refunded_amount) == ("succeeded", 0)


def test_a_lost_answer_is_found_out_by_the_check_and_refunds_once(stripe: FakeStripe, payment: Payment) -> None:
    stripe.lose_next_answers(3, method="POST", path="/v1/refunds")

    with pytest.raises(errors.RefundBeingChecked):
        refund(payment)
    with pytest.raises(errors.RefundUnderWay):
        refund(payment)
    made = Refund.objects.get()
    assert made.status == "unknown"
    due(made)
    poll_due()

    assert (now(made).status, now(payment).status, given_back(stripe)) == ("succeeded", "refunded", 8900)
    assert CreditNote.objects.count() == 1


def test_one_request_key_is_one_refund(stripe: FakeStripe, payment: Payment) -> None:
    notes = {refund(payment, PART, request_key="a" * 64).pk for _ in range(3)}

    assert (len(notes), given_back(stripe)) == (1, 3000)


def test_a_refund_that_takes_days_is_booked_when_the_money_is_back(stripe: FakeStripe) -> None:
    invoice = make.subscription().invoices.get()
    saved = make.saved_card(stripe, invoice.account, "pm_card_pendingRefund").gateway_method_id
    payment = PaymentService.create_stripe_payment(invoice, saved).payment

    with pytest.raises(errors.RefundBeingChecked):
        refund(payment)
    made = Refund.objects.get()
    assert (made.status, now(payment).refunded_amount) == ("processing", 0)
    stripe.settle_refund(made.gateway_refund_id)
    due(made)
    poll_due()

    assert (now(made).status, now(payment).status) == ("succeeded", "refunded")


def test_a_refund_that_did_not_arrive_after_all_waits_for_an_operator(stripe: FakeStripe, payment: Payment) -> None:
    refund(payment)

    stripe.fail_refund(Refund.objects.get().gateway_refund_id)
    sync_refunds(now(payment))

    assert (now(payment).needs_review, Refund.objects.get().status) == (True, "succeeded")
    assert Event.objects.filter(type="payment.needs_review").exists()


def test_what_somebody_refunds_at_stripe_is_booked_once(stripe: FakeStripe, payment: Payment) -> None:
    stripe.refund_in_dashboard(payment.gateway_object_id, 3000)
    stripe.refund_in_dashboard(payment.gateway_object_id, 1000)

    for _ in range(3):
        sync_refunds(now(payment))

    assert sorted(CreditNote.objects.values_list("amount", flat=True)) == [Decimal("10.00"), Decimal("30.00")]
    assert (now(payment).status, now(payment).refunded_amount) == ("partially_refunded", Decimal("40.00"))


def test_money_that_paid_nothing_goes_back_by_itself(stripe: FakeStripe) -> None:
    invoice = make.invoice()
    make.customer_at_stripe(stripe, invoice.account)
    attempt = PaymentService.create_stripe_payment(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret)
    # As if the gateway had said so, and had taken the money all the same.
    apply_charge(attempt.payment, replace(attempt.charge, state=ChargeState.CANCELED))
    paid = make.submitted_payment(invoice)
    PaymentService.approve_manual_payment(paid, make.operator())

    PaymentService.handle_stripe_success(attempt.charge.object_id)
    poll_due()

    back = Refund.objects.get()
    assert (back.is_return, back.status, back.credit_note, given_back(stripe)) == (True, "succeeded", None, 8900)
    assert Event.objects.filter(type="payment.returned").count() == 1
    assert broken_invariants() == []


def test_what_needs_review_can_be_returned_by_an_operator(stripe: FakeStripe, olga: User) -> None:
    invoice = make.invoice()
    make.customer_at_stripe(stripe, invoice.account)
    attempt = PaymentService.create_stripe_payment(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret)
    Payment.objects.update(amount=Decimal("1.00"))
    PaymentService.handle_stripe_success(attempt.charge.object_id)
    flagged = now(attempt.payment)
    assert flagged.needs_review

    return_money(flagged, olga)

    assert (now(flagged).status, now(flagged).needs_review, given_back(stripe)) == ("failed", False, 8900)
    with pytest.raises(errors.NothingToReturn):
        return_money(now(flagged), olga)


def test_what_needs_review_is_judged_anew_when_an_operator_asks(stripe: FakeStripe, olga: User) -> None:
    invoice = make.invoice()
    make.customer_at_stripe(stripe, invoice.account)
    attempt = PaymentService.create_stripe_payment(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret)
    Payment.objects.update(amount=Decimal("1.00"))
    PaymentService.handle_stripe_success(attempt.charge.object_id)
    still = check_payment_now(now(attempt.payment), olga)
    assert still.needs_review
    Payment.objects.update(amount=Decimal("89.00"))

    settled = check_payment_now(now(attempt.payment), olga)

    assert (settled.status, settled.needs_review, now(invoice).status) == ("succeeded", False, "paid")
