"""What each message of PayPal is news of, in the protocol's kinds. It needs neither the SDK nor keys."""

from igny8_core.business.billing.gateways.protocol import Handler, Kind, News, WebhookMessage


def _attempt(message: WebhookMessage) -> News:
    related = message.related
    return News(Kind.ATTEMPT, object_id=related.get("order", ""), capture_id=related.get("capture", ""))


def _refund(message: WebhookMessage) -> News:
    # Not the order that it may name: of a refund, PayPal says reliably which capture it is of.
    return News(Kind.REFUND, capture_id=message.related.get("capture", ""), refund_id=message.object_id)


def _dispute(message: WebhookMessage) -> News:
    return News(Kind.DISPUTE, object_id=message.object_id)


HANDLERS: dict[str, Handler] = {
    "CHECKOUT.ORDER.APPROVED": _attempt,
    "PAYMENT.CAPTURE.COMPLETED": _attempt,
    "PAYMENT.CAPTURE.PENDING": _attempt,
    # PayPal's own pages use both names for one event.
    "PAYMENT.CAPTURE.DENIED": _attempt,
    "PAYMENT.CAPTURE.DECLINED": _attempt,
    "PAYMENT.CAPTURE.REFUNDED": _refund,
    # PayPal took the money back: a refund that nobody here asked for.
    "PAYMENT.CAPTURE.REVERSED": _refund,
    **dict.fromkeys(("CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED"), _dispute),
}
