"""Disputes that no message told of are found by the daily comparison."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Dispute, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.daily import reconcile
from igny8_core.business.billing.services.refunds.disputes import sync_dispute
from tests import make
from tests.billing.stripe_subscribers import said, subscribed, subscriber
from tests.billing.test_reconcile import approved_at_paypal, found, paid
from tests.rows import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(stripe: FakeStripe) -> Payment:
    """Paid by card."""
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    return paid(stripe, invoice)


def paid_at_paypal(paypal: FakePayPal) -> Payment:
    payment = approved_at_paypal(paypal)
    return PaymentService.complete_payment(payment).payment


def test_a_dispute_that_was_not_told_of_is_noted_and_so_is_its_end(stripe: FakeStripe, payment: Payment) -> None:
    dispute = stripe.open_dispute(payment.gateway_object_id)["id"]

    assert found() == [("dispute", True)]
    assert (now(payment).status, Dispute.objects.get().status) == ("disputed", "open")
    assert found() == []

    # It ends weeks later, when the list has it no longer.
    said(stripe, dispute, created=int((timezone.now() - timedelta(days=40)).timestamp()))
    stripe.close_dispute(dispute, won=False)

    assert found() == [("dispute", True)]
    assert (now(payment).status, now(payment).refunded_amount) == ("refunded", payment.amount)
    assert found() == []
    assert broken_invariants() == []


def test_a_dispute_of_an_invoice_of_stripes_that_is_not_known_yet_is_noted_with_it(stripe: FakeStripe) -> None:
    subscription = subscribed(stripe, subscriber(stripe))
    bill = stripe.one(subscription)["latest_invoice"]
    [paid_with] = stripe.list_invoice_payments({"invoice": bill})["data"]
    stripe.open_dispute(paid_with["payment"]["payment_intent"])

    assert found() == [("missing_here", True), ("dispute", True)]

    assert Payment.objects.get().status == "disputed"
    assert found() == []


def test_disputes_at_paypal_are_followed_too(paypal: FakePayPal) -> None:
    payment = paid_at_paypal(paypal)
    dispute = paypal.open_dispute(payment.gateway_capture_id)

    assert found() == [("dispute", True)]
    assert now(payment).status == "disputed"
    assert found() == []

    paypal.disputes[dispute].created_at -= timedelta(days=40).total_seconds()
    paypal.close_dispute(dispute, "RESOLVED_SELLER_FAVOUR")

    assert found() == [("dispute", True)]
    assert Dispute.objects.get().status == "won"
    assert found() == []


def test_all_pages_of_the_lists_of_disputes_are_read(stripe: FakeStripe, paypal: FakePayPal, payment: Payment) -> None:
    """Newer ones of other products fill the first pages."""
    other = paid_at_paypal(paypal)
    stripe.open_dispute(payment.gateway_object_id)
    paypal.open_dispute(other.gateway_capture_id)
    stranger = stripe.create_customer({})["id"]
    bill = stripe.make_subscription(stranger, stripe.save_card(stranger), amount=500)["latest_invoice"]
    [strangers] = stripe.list_invoice_payments({"invoice": bill})["data"]
    for _ in range(120):
        stripe.open_dispute(strangers["payment"]["payment_intent"])
    ours = paypal.disputes[next(iter(paypal.disputes))]
    for number in range(60):
        elsewhere = replace(ours, id=f"PP-D-{number}", capture=replace(ours.capture, id="ELSEWHERE"))
        paypal.disputes[elsewhere.id] = elsewhere

    reconcile(days=400)

    assert [now(payment).status, now(other).status] == ["disputed", "disputed"]


def test_a_dispute_that_is_gone_waits_for_an_operator(stripe: FakeStripe, payment: Payment) -> None:
    dispute = stripe.open_dispute(payment.gateway_object_id)["id"]
    sync_dispute("stripe", dispute)
    with stripe._changing():
        del stripe._objects[dispute]

    assert found() == [("missing_there", False)]
    assert now(payment).needs_review
