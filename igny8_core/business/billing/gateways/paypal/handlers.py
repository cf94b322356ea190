"""What each of PayPal's webhook messages is about. This needs neither the SDK nor keys."""

from igny8_core.business.billing.gateways.protocol import Handler, Kind, News, WebhookMessage


def _attempt(message: WebhookMessage) -> News:
    related = message.related
    return News(Kind.ATTEMPT, object_id=related.get("order", ""), capture_id=related.get("capture", ""))


def _refund(message: WebhookMessage) -> News:
    # Not the order, which PayPal does not always name. A refund always names its capture.
    return News(Kind.REFUND, capture_id=message.related.get("capture", ""), refund_id=message.object_id)


def _dispute(message: WebhookMessage) -> News:
    return News(Kind.DISPUTE, object_id=message.object_id)


HANDLERS: dict[str, Handler] = {
    "CHECKOUT.ORDER.APPROVED": _attempt,
    "PAYMENT.CAPTURE.COMPLETED": _attempt,
    "PAYMENT.CAPTURE.PENDING": _attempt,
    # PayPal's documentation uses both names for one event.
    "PAYMENT.CAPTURE.DENIED": _attempt,
    "PAYMENT.CAPTURE.DECLINED": _attempt,
    "PAYMENT.CAPTURE.REFUNDED": _refund,
    # PayPal took the money back, so this is a refund that was not ordered here.
    "PAYMENT.CAPTURE.REVERSED": _refund,
    **dict.fromkeys(("CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED"), _dispute),
}
