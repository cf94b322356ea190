"""Console pages of money; importing them registers them."""

from igny8_core.business.billing.admin import (
    credit,
    credit_note,
    dispute,
    invoice,
    offer,
    payment,
    payment_method,
    payment_proof,
    refund,
    subscription,
    webhook_event,
)

__all__ = [
    "credit",
    "credit_note",
    "dispute",
    "invoice",
    "offer",
    "payment",
    "payment_method",
    "payment_proof",
    "refund",
    "subscription",
    "webhook_event",
]
