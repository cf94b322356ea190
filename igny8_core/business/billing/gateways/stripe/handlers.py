"""What each of Stripe's webhook messages is about. This needs neither the SDK nor keys."""

from igny8_core.business.billing.gateways.protocol import Handler, Kind, News, WebhookMessage


def _attempt(message: WebhookMessage) -> News:
    return News(Kind.ATTEMPT, object_id=message.object_id)


def _refund(message: WebhookMessage) -> News:
    return News(
        Kind.REFUND,
        object_id=message.related.get("payment_intent", ""),
        capture_id=message.related.get("charge", ""),
        refund_id=message.related.get("refund", ""),
    )


def _about(kind: Kind) -> Handler:
    return lambda message: News(kind, object_id=message.object_id)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(
        (
            "payment_intent.succeeded",
            "payment_intent.processing",
            "payment_intent.payment_failed",
            "payment_intent.canceled",
        ),
        _attempt,
    ),
    **dict.fromkeys(("charge.refunded", "refund.created", "refund.updated", "refund.failed"), _refund),
    **dict.fromkeys(
        ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"), _about(Kind.DISPUTE)
    ),
    "setup_intent.succeeded": _about(Kind.CARD_SETUP),
    "payment_method.detached": _about(Kind.CARD_GONE),
    **dict.fromkeys(
        ("customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"),
        _about(Kind.SUBSCRIPTION),
    ),
    **dict.fromkeys(("invoice.paid", "invoice.payment_failed", "invoice.voided"), _about(Kind.SUBSCRIPTION_INVOICE)),
}
