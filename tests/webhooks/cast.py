"""Payments at the stand-ins, their messages on the way to our doors, and what they leave in the books."""

from typing import Any, Literal
from uuid import uuid4

from django.utils import timezone
from rest_framework.test import APIClient

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.models import (
    CreditGrant,
    CreditNote,
    CreditTransaction,
    Dispute,
    Payment,
    Refund,
    WebhookEvent,
)
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.webhook_inbox.inbox import store_message
from igny8_core.events.models import Event
from tests import make

STRIPE = "/api/v1/billing/webhooks/stripe/"
PAYPAL = "/api/v1/billing/webhooks/paypal/"
SECRET = "whsec_test"

Message = tuple[bytes, dict[str, str]]


def card_payment(stripe: FakeStripe) -> Payment:
    """The first payment of a subscription, which the customer is about to make in the browser."""
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    return PaymentService.create_stripe_payment(invoice).payment


def paid_by_card(stripe: FakeStripe) -> Payment:
    """The same, made; we have not been told."""
    payment = card_payment(stripe)
    stripe.pay_in_browser(stripe.one(payment.gateway_object_id)["client_secret"])
    return payment


def paypal_payment(paypal: FakePayPal) -> Payment:
    """The first payment of a subscription, with an order at PayPal that the customer is about to approve."""
    make.payment_method(payment_method="paypal", display_name="PayPal")
    return PaymentService.create_paypal_payment(make.subscription().invoices.get()).payment


def paid_by_paypal(paypal: FakePayPal) -> Payment:
    """The same, approved and captured; we have not been told."""
    payment = paypal_payment(paypal)
    paypal.approve(payment.gateway_object_id)
    paypal.capture_order(payment.gateway_object_id, {}, f"pay-{payment.uuid}-capture")
    return payment


def send(path: str, message: Message, **more: Any) -> Any:
    """Post a message as it is to one of the doors."""
    body, headers = message
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    content_type = more.pop("content_type", "application/json")
    environ.pop("HTTP_CONTENT_TYPE", None)
    return APIClient().generic("POST", path, body, content_type=content_type, **environ, **more)


def tell_stripe(
    stripe: FakeStripe, event: dict[str, Any], shape: Literal["endive", "2022-11-15"] = "endive", **signing: Any
) -> Any:
    """Deliver an event of the stand-in for Stripe."""
    return send(STRIPE, stripe.signed(event, **{"secret": SECRET, **signing}, shape=shape))


def tell_paypal(paypal: FakePayPal, event: dict[str, Any]) -> Any:
    """Deliver an event of the stand-in for PayPal."""
    return send(PAYPAL, paypal.signed(event))


def stored(provider: str, message: Message) -> WebhookEvent:
    """A message that has come and waits, without a door."""
    body, headers = message
    read = gateway_of(provider).read_webhook(body)
    store_message(provider, read, body, headers.get("paypal-transmission-id", ""))
    return WebhookEvent.objects.get(provider=provider, event_id=read.event_id)


def succeeded(stripe: FakeStripe) -> WebhookEvent:
    """The stored message of the last payment that succeeded."""
    return stored("stripe", stripe.signed(stripe.events("payment_intent.succeeded")[-1], SECRET))


def about(stripe: FakeStripe, object_id: str, type_: str = "payment_intent.succeeded") -> WebhookEvent:
    """A stored message about an object of which nothing else is known."""
    kind = type_.partition(".")[0]
    event = {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "type": type_,
        "livemode": False,
        "data": {"object": {"id": object_id, "object": kind}},
    }
    return stored("stripe", stripe.signed(event, SECRET))


def due_again() -> None:
    """The next tries, and the leases of killed workers, have come to their time."""
    WebhookEvent.objects.filter(state="waiting").update(next_attempt_at=timezone.now())


def events_of(payment: Payment) -> list[str]:
    events = Event.objects.filter(object_type="billing.payment", object_id=str(payment.pk))
    return sorted(events.values_list("type", flat=True))


def books(payment: Payment) -> dict[str, Any]:
    """Everything around a payment that money, documents and credits are about, as it is in the database now."""
    payment = Payment.objects.select_related("account", "invoice__subscription").get(pk=payment.pk)
    refunds = Refund.objects.filter(payment=payment)
    notes = CreditNote.objects.filter(payment=payment)
    disputes = Dispute.objects.filter(payment=payment).order_by("gateway_dispute_id")
    return {
        "payment": payment.status,
        "refunded": f"{payment.refunded_amount:.2f}",
        "review": payment.review_reason,
        "ids": [payment.gateway_object_id, payment.gateway_capture_id],
        "disputes": list(disputes.values_list("gateway_dispute_id", "status", "amount")),
        "invoice": payment.invoice.status,
        "subscription": payment.invoice.subscription.status if payment.invoice.subscription else None,
        "account": payment.account.status,
        "credits": payment.account.credits,
        "grants": CreditGrant.objects.filter(account=payment.account).count(),
        "ledger": sorted(CreditTransaction.objects.filter(account=payment.account).values_list("amount", flat=True)),
        "refunds": sorted(refunds.values_list("gateway_refund_id", "amount", "status", "reason")),
        "notes": sorted(notes.values_list("amount", "reason", "credits_taken_back")),
    }


def states(provider: str = "stripe") -> list[str]:
    """What became of the messages, in the order in which they came."""
    events = WebhookEvent.objects.filter(provider=provider).order_by("pk")
    return list(events.values_list("state", flat=True))
