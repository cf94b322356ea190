"""Paying by PayPal: an order is opened, the payer approves it, we take the money (docs/gateways.md section 6)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account
from igny8_core.business.billing import errors
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice, Payment, Refund
from igny8_core.business.billing.services.collection.attempts import NextStep
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.polling import poll_due
from tests import make
from tests.rows import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(paypal: FakePayPal) -> Iterator[Invoice]:
    """The first invoice of a subscription, in a country where PayPal is offered; the books balance afterwards."""
    make.payment_method(payment_method="paypal", display_name="PayPal")
    yield make.subscription().invoices.get()
    assert broken_invariants() == []


def approved(paypal: FakePayPal, invoice: Invoice) -> Payment:
    payment = PaymentService.create_paypal_payment(invoice).payment
    paypal.approve(payment.gateway_object_id)
    return payment


def test_what_the_payer_approved_is_taken_once_and_pays(paypal: FakePayPal, invoice: Invoice) -> None:
    attempt = PaymentService.create_paypal_payment(invoice)
    assert (attempt.next_step, attempt.payment.status) == (NextStep.APPROVE, "pending")
    assert attempt.charge.approve_url.startswith(paypal.address)

    paypal.approve(attempt.payment.gateway_object_id)
    done = [PaymentService.complete_payment(now(attempt.payment)) for _ in range(3)]

    account = Account.objects.get(pk=invoice.account_id)
    assert [each.payment.status for each in done] == ["succeeded"] * 3
    assert (now(invoice).status, account.status, account.credits) == ("paid", "active", 1000)
    assert len(paypal.captures_with(str(attempt.payment.uuid))) == 1
    assert done[0].payment.gateway_capture_id


def test_who_comes_back_without_approving_is_sent_there_again(paypal: FakePayPal, invoice: Invoice) -> None:
    attempt = PaymentService.create_paypal_payment(invoice)

    again = PaymentService.complete_payment(attempt.payment)

    assert (again.next_step, again.charge.approve_url) == (NextStep.APPROVE, attempt.charge.approve_url)
    assert paypal.captures == {}


def test_a_payer_who_never_came_back_has_paid_when_the_check_finds_the_approval(
    paypal: FakePayPal, invoice: Invoice
) -> None:
    payment = approved(paypal, invoice)
    Payment.objects.filter(pk=payment.pk).update(next_check_at=payment.created_at)

    poll_due()

    assert (now(payment).status, now(invoice).status) == ("succeeded", "paid")


def test_a_refused_source_of_money_sends_the_payer_back_to_choose_another(paypal: FakePayPal, invoice: Invoice) -> None:
    payment = approved(paypal, invoice)
    paypal.decline_next_capture("INSTRUMENT_DECLINED")

    refused = PaymentService.complete_payment(payment)

    assert (refused.next_step, refused.payment.status) == (NextStep.APPROVE, "pending")
    assert refused.payment.failure_reason != ""


@pytest.mark.parametrize("issue", ["TRANSACTION_REFUSED", "COMPLIANCE_VIOLATION"])
def test_a_final_no_leaves_the_invoice_open_for_another_attempt(
    paypal: FakePayPal, invoice: Invoice, issue: str
) -> None:
    payment = approved(paypal, invoice)
    paypal.decline_next_capture(issue)

    with pytest.raises(errors.PaymentDeclined):
        PaymentService.complete_payment(payment)

    assert (now(payment).status, now(invoice).status) == ("failed", "pending")
    second = approved(paypal, invoice)
    assert PaymentService.complete_payment(second).payment.status == "succeeded"


@pytest.mark.parametrize(
    ("decision", "status", "due"), [("release", "succeeded", "paid"), ("deny", "failed", "pending")]
)
def test_money_that_paypal_looks_at_first_pays_only_when_it_is_there(
    paypal: FakePayPal, invoice: Invoice, decision: str, status: str, due: str
) -> None:
    payment = approved(paypal, invoice)
    paypal.hold_capture(payment.gateway_object_id)

    waiting = PaymentService.complete_payment(payment)
    assert (waiting.next_step, waiting.payment.status, now(invoice).status) == (NextStep.WAIT, "processing", "pending")
    with pytest.raises(errors.PaymentBeingChecked):
        PaymentService.create_paypal_payment(invoice)
    getattr(paypal, decision)(payment.gateway_object_id)
    PaymentService.handle_paypal_success(payment.gateway_object_id)

    assert (now(payment).status, now(invoice).status) == (status, due)


def test_a_lost_answer_to_the_capture_is_found_out_and_charges_once(paypal: FakePayPal, invoice: Invoice) -> None:
    payment = approved(paypal, invoice)
    paypal.troubles.hang_up_after("/capture", times=3)

    lost = PaymentService.complete_payment(payment)
    assert (lost.next_step, lost.payment.status) == (NextStep.WAIT, "unknown")
    Payment.objects.filter(pk=payment.pk).update(next_check_at=payment.created_at)
    poll_due()

    assert (now(payment).status, now(invoice).status) == ("succeeded", "paid")
    assert len(paypal.captures_with(str(payment.uuid))) == 1


def test_an_order_given_up_for_a_card_is_never_taken(paypal: FakePayPal, stripe: FakeStripe, invoice: Invoice) -> None:
    payment = approved(paypal, invoice)
    saved = make.saved_card(stripe, invoice.account).gateway_method_id

    by_card = PaymentService.create_stripe_payment(invoice, saved).payment
    PaymentService.handle_paypal_success(payment.gateway_object_id)

    assert (now(payment).status, by_card.status, now(invoice).status) == ("canceled", "succeeded", "paid")
    assert paypal.captures == {}


def test_a_refund_goes_back_through_paypal(paypal: FakePayPal, invoice: Invoice) -> None:
    payment = PaymentService.complete_payment(approved(paypal, invoice)).payment

    note = PaymentService.process_refund(payment, reason="Goodwill")

    refund = Refund.objects.get()
    assert (note.amount, note.credits_taken_back, now(payment).status) == (payment.amount, 1000, "refunded")
    assert (refund.status, refund.gateway_refund_id in paypal.refunds) == ("succeeded", True)
    assert Account.objects.get(pk=invoice.account_id).credits == 0


def test_without_keys_paypal_is_off(invoice: Invoice, settings: Any) -> None:
    keys, settings.PAYPAL = settings.PAYPAL, None

    with pytest.raises(errors.GatewayNotConfigured):
        PaymentService.create_paypal_payment(invoice)

    settings.PAYPAL = keys
    assert not Payment.objects.exists()


def test_an_order_that_paypal_has_forgotten_is_over_and_another_can_be_begun(
    paypal: FakePayPal, stripe: FakeStripe, invoice: Invoice
) -> None:
    first = PaymentService.create_paypal_payment(invoice).payment
    paypal.expire(first.gateway_object_id)

    with pytest.raises(errors.PaymentDeclined):
        PaymentService.complete_payment(first)
    second = PaymentService.create_paypal_payment(invoice).payment
    paypal.expire(second.gateway_object_id)
    saved = make.saved_card(stripe, invoice.account).gateway_method_id
    by_card = PaymentService.create_stripe_payment(invoice, saved).payment

    assert (now(first).status, now(second).status, by_card.status) == ("failed", "failed", "succeeded")


def test_an_order_over_another_amount_is_not_taken(paypal: FakePayPal, invoice: Invoice) -> None:
    payment = approved(paypal, invoice)
    Payment.objects.filter(pk=payment.pk).update(amount=Decimal("88.99"))

    PaymentService.complete_payment(now(payment))

    assert now(payment).review_reason == "The gateway would take 89.00 USD; 88.99 USD was due."
    assert paypal.captures == {}
