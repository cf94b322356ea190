"""Subscriptions and invoices that Stripe bills by itself, as Stripe reports them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class MirroredSubscription:
    """A subscription that Stripe bills. `status` is Stripe's own word."""

    subscription_id: str
    customer_id: str
    status: str
    price_id: str
    live: bool
    metadata: Mapping[str, str] = field(default_factory=dict)
    period_start: datetime | None = None
    period_end: datetime | None = None
    is_cancel_scheduled: bool = False
    canceled_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class MirroredInvoice:
    """An invoice that Stripe made for a subscription that it bills. `status` is Stripe's own word."""

    invoice_id: str
    subscription_id: str
    customer_id: str
    status: str
    amount_paid: Decimal
    amount_due: Decimal
    currency: str
    live: bool
    payment_intent_id: str = ""
    charge_id: str = ""
    description: str = ""
    period_start: datetime | None = None
    period_end: datetime | None = None
