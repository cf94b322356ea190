"""What each message of a gateway leads to. A message is a hint at what to ask the gateway for, and never a fact.

Everything here may be done in any order and any number of times: what counts is what the gateway says when it is asked.
"""

from collections.abc import Callable

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.gateways import configured_paypal
from igny8_core.business.billing.gateways.protocol import UnknownObject, WebhookMessage
from igny8_core.business.billing.models import Dispute, Payment, WebhookProvider
from igny8_core.business.billing.services.card_service import CardService
from igny8_core.business.billing.services.dispute_service import DisputeService
from igny8_core.business.billing.services.gateway_calls import gateway_refusals
from igny8_core.business.billing.services.gateway_refunds import GatewayRefundService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.settled_payments import settled_payment
from igny8_core.business.billing.services.subscription_mirror import SubscriptionMirrorService

Effect = Callable[[WebhookMessage], object | None]


def take_effect(provider: str, message: WebhookMessage) -> bool:
    """Do what a message leads to; False for one that is about nothing of ours.

    Raises PaymentNotFound where it names a payment that is not here (yet), GatewayUnavailable, GatewayMisconfigured,
    GatewayNotConfigured. RuntimeError in a transaction.
    """
    effects = STRIPE_EFFECTS if provider == WebhookProvider.STRIPE else PAYPAL_EFFECTS
    effect = effects.get(message.type)
    if effect is None:
        return False
    try:
        return effect(message) is not None
    except UnknownObject:
        return False


def _stripe_refund(message: WebhookMessage) -> Payment | None:
    object_id, capture_id = message.related.get("payment_intent", ""), message.related.get("charge", "")
    return _with_refunds(settled_payment(PaymentMethodType.STRIPE, object_id=object_id, capture_id=capture_id))


def _paypal_payment(message: WebhookMessage) -> Payment | None:
    order_id = message.related.get("order", "")
    if order_id:
        return PaymentService.handle_paypal_success(order_id, message.related.get("capture", ""))
    return settled_payment(PaymentMethodType.PAYPAL, capture_id=message.related.get("capture", ""))


def _paypal_refusal(message: WebhookMessage) -> Payment | None:
    order_id = message.related.get("order", "")
    if order_id:
        return PaymentService.handle_paypal_failure(order_id)
    return settled_payment(PaymentMethodType.PAYPAL, capture_id=message.related.get("capture", ""))


def _paypal_refund(message: WebhookMessage) -> Payment | None:
    capture_id = message.related.get("capture", "")
    if not capture_id:
        with gateway_refusals():
            capture_id = configured_paypal().refund_with_id(message.object_id).capture_id
    return _with_refunds(settled_payment(PaymentMethodType.PAYPAL, capture_id=capture_id))


def _with_refunds(payment: Payment | None) -> Payment | None:
    """The payment, with all that went back of it booked."""
    if payment and payment.gateway_object_id:
        GatewayRefundService.sync(payment)
    return payment


def _stripe_dispute(message: WebhookMessage) -> Dispute | None:
    return DisputeService.sync(PaymentMethodType.STRIPE, message.object_id)


def _paypal_dispute(message: WebhookMessage) -> Dispute | None:
    return DisputeService.sync(PaymentMethodType.PAYPAL, message.object_id)


STRIPE_EFFECTS: dict[str, Effect] = {
    "payment_intent.succeeded": lambda message: PaymentService.handle_stripe_success(message.object_id),
    "payment_intent.processing": lambda message: PaymentService.handle_stripe_success(message.object_id),
    "payment_intent.payment_failed": lambda message: PaymentService.handle_stripe_failure(message.object_id),
    "payment_intent.canceled": lambda message: PaymentService.handle_stripe_failure(message.object_id),
    **dict.fromkeys(("charge.refunded", "refund.created", "refund.updated", "refund.failed"), _stripe_refund),
    **dict.fromkeys(
        ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"),
        _stripe_dispute,
    ),
    "setup_intent.succeeded": lambda message: CardService.save(message.object_id),
    "payment_method.detached": lambda message: CardService.forget(message.object_id),
    **dict.fromkeys(
        ("customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"),
        lambda message: SubscriptionMirrorService.sync(message.object_id),
    ),
    **dict.fromkeys(
        ("invoice.paid", "invoice.payment_failed", "invoice.voided"),
        lambda message: SubscriptionMirrorService.record_invoice(message.object_id),
    ),
}
PAYPAL_EFFECTS: dict[str, Effect] = {
    "CHECKOUT.ORDER.APPROVED": _paypal_payment,
    "PAYMENT.CAPTURE.COMPLETED": _paypal_payment,
    "PAYMENT.CAPTURE.PENDING": _paypal_payment,
    # PayPal's own pages use both names for one event.
    "PAYMENT.CAPTURE.DENIED": _paypal_refusal,
    "PAYMENT.CAPTURE.DECLINED": _paypal_refusal,
    "PAYMENT.CAPTURE.REFUNDED": _paypal_refund,
    # PayPal took the money back: a refund that nobody here asked for.
    "PAYMENT.CAPTURE.REVERSED": _paypal_refund,
    **dict.fromkeys(
        ("CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED"),
        _paypal_dispute,
    ),
}
