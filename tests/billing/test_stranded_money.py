"""Money that a gateway has taken is always visible: delivered, going back, or waiting for an operator with a reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.db import IntegrityError, OperationalError

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Plan, Subscription, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Allocation, CreditGrant, Invoice, Payment, WebhookEvent
from igny8_core.business.billing.services import settlement
from igny8_core.business.billing.services.collection.attempts import NextStep
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.polling import check_payment_now, return_money
from igny8_core.business.billing.services.stripe_billing.invoices import record_invoice
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.tasks import process_webhooks
from igny8_core.common.errors import InvalidInput
from igny8_core.events.models import Event
from tests import make
from tests.billing.stripe_subscribers import mirrored, subscribed, subscriber
from tests.webhooks.cast import paid_by_card, paid_by_paypal, states, tell_paypal, tell_stripe

pytestmark = pytest.mark.django_db

FAULTS = [RuntimeError("no such plan"), KeyError("plan"), IntegrityError("duplicate key"), InvalidInput("Of no use.")]


@contextmanager
def failing(error: Exception, step: str = "_grant_credits") -> Iterator[None]:
    """What follows from captured money fails at one of its steps."""
    with patch.object(settlement, step, side_effect=error):
        yield


def require_waits_with_its_money(payment: Payment, text: str) -> None:
    payment.refresh_from_db()
    assert payment.needs_review
    assert text in payment.review_reason
    assert payment.gateway_object_id
    assert payment.gateway_capture_id
    assert Event.objects.filter(type="payment.needs_review", object_id=str(payment.pk)).count() == 1
    # Nothing of what follows is there by half.
    assert (Invoice.objects.get(pk=payment.invoice_id).status, CreditGrant.objects.count()) == ("pending", 0)
    assert not Allocation.objects.exists()
    assert broken_invariants() == []


def require_delivered(payment: Payment) -> None:
    payment.refresh_from_db()
    assert (payment.status, payment.needs_review, payment.next_check_at) == ("succeeded", False, None)
    assert Invoice.objects.get(pk=payment.invoice_id).status == "paid"
    assert CreditGrant.objects.get().source == f"invoice:{payment.invoice_id}"
    assert broken_invariants() == []


@pytest.mark.parametrize("step", ["activate_subscription", "_grant_credits"])
@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_a_fault_after_the_card_was_charged_leaves_the_payment_to_an_operator(
    stripe: FakeStripe, olga: User, error: Exception, step: str
) -> None:
    payment = paid_by_card(stripe)
    tell_stripe(stripe, stripe.events("payment_intent.succeeded")[0])

    with failing(error, step):
        process_webhooks()

    # The message is done: no gateway and no queue tries the same fault again and again.
    assert states() == ["processed"]
    require_waits_with_its_money(payment, str(error.args[0]))
    assert check_payment_now(payment, olga) == payment
    require_delivered(payment)


def test_a_fault_after_paypal_captured_leaves_the_payment_to_an_operator(paypal: FakePayPal, olga: User) -> None:
    payment = paid_by_paypal(paypal)
    tell_paypal(paypal, paypal.events("PAYMENT.CAPTURE.COMPLETED")[0])

    with failing(RuntimeError("no such plan")):
        process_webhooks()

    assert states("paypal") == ["processed"]
    require_waits_with_its_money(payment, "no such plan")
    check_payment_now(payment, olga)
    require_delivered(payment)


def test_the_customer_is_told_to_wait_and_not_to_pay_again(stripe: FakeStripe) -> None:
    payment = paid_by_card(stripe)

    with failing(RuntimeError("no such plan")):
        attempt = PaymentService.complete_payment(payment)

    assert attempt.next_step == NextStep.WAIT
    require_waits_with_its_money(payment, "no such plan")


def test_what_is_still_not_mended_waits_on(stripe: FakeStripe, olga: User) -> None:
    payment = paid_by_card(stripe)
    with failing(RuntimeError("no such plan")):
        PaymentService.handle_stripe_success(payment.gateway_object_id)

    with failing(RuntimeError("still no such plan")):
        check_payment_now(payment, olga)

    payment.refresh_from_db()
    assert (payment.needs_review, "still no such plan" in payment.review_reason) == (True, True)


def test_the_money_can_go_back_instead(stripe: FakeStripe, olga: User) -> None:
    payment = paid_by_card(stripe)
    with failing(RuntimeError("no such plan")):
        PaymentService.handle_stripe_success(payment.gateway_object_id)
    payment.refresh_from_db()

    refund = return_money(payment, olga)

    payment.refresh_from_db()
    assert (refund.amount, refund.is_return, payment.status) == (payment.amount, True, "failed")
    assert broken_invariants() == []


def test_a_busy_database_is_no_fault_and_is_tried_again(stripe: FakeStripe) -> None:
    payment = paid_by_card(stripe)

    with failing(OperationalError("canceling statement due to lock timeout")), pytest.raises(OperationalError):
        PaymentService.handle_stripe_success(payment.gateway_object_id)

    payment.refresh_from_db()
    assert (payment.status, payment.needs_review) == ("pending", False)
    PaymentService.handle_stripe_success(payment.gateway_object_id)
    require_delivered(payment)


def test_a_slug_that_changed_after_the_order_strands_no_card_payment_unseen(stripe: FakeStripe, olga: User) -> None:
    """An upgrade was ordered, its plan's slug edited, and the card charged."""
    tenant = PaymentService.approve_manual_payment(make.submitted_payment(), olga).account
    scale = make.plan("scale", price=Decimal("229.00"), included_credits=4000)
    customer = make.customer_at_stripe(stripe, tenant)
    invoice = SubscriptionService.upgrade_subscription(Subscription.objects.get(), scale)
    assert invoice
    Plan.objects.filter(pk=scale.pk).update(slug="scale-2026")

    PaymentService.create_stripe_payment(invoice, stripe.save_card(customer))

    payment = Payment.objects.get(invoice=invoice)
    delivered = (payment.status, Account.objects.get(pk=tenant.pk).plan_id) == ("succeeded", scale.pk)
    assert delivered or payment.needs_review
    assert broken_invariants() == []


def test_a_fault_after_stripe_collected_a_bill_leaves_a_payment_to_an_operator(stripe: FakeStripe, olga: User) -> None:
    tenant = subscriber(stripe)
    bill = stripe.one(subscribed(stripe, tenant))["latest_invoice"]

    with failing(RuntimeError("no such line")):
        for _ in range(2):
            record_invoice(bill)

    payment = Payment.objects.get()
    assert payment.invoice.stripe_invoice_id == bill
    assert payment.gateway_object_id
    assert (payment.status, payment.needs_review) == ("pending", True)
    assert "no such line" in payment.review_reason
    assert not CreditGrant.objects.exists()
    assert broken_invariants() == []
    check_payment_now(payment, olga)
    require_delivered(payment)


def test_a_renewal_that_was_open_here_already_is_no_exception(stripe: FakeStripe, olga: User) -> None:
    subscription = mirrored(stripe, subscriber(stripe))
    stripe.decline_next()
    bill = stripe.renew(subscription.stripe_subscription_id)["latest_invoice"]
    record_invoice(bill)
    stripe.pay_invoice(bill)
    with failing(RuntimeError("no such line")):
        record_invoice(bill)
    payment = Payment.objects.get(needs_review=True)

    check_payment_now(payment, olga)

    payment.refresh_from_db()
    assert (payment.status, payment.invoice.stripe_invoice_id, CreditGrant.objects.count()) == ("succeeded", bill, 2)
    assert not WebhookEvent.objects.exists()
    assert broken_invariants() == []
