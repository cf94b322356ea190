"""The mirror of what Stripe bills by itself: subscriptions that were made there, and their invoices.

Strictly apart from our own billing: nothing is charged, and only what Stripe has collected is recorded, once.
"""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, PaymentMethodType, Subscription
from igny8_core.business.billing.gateways import configured_stripe
from igny8_core.business.billing.gateways.mirrored import MirroredInvoice
from igny8_core.business.billing.gateways.protocol import UnknownObject
from igny8_core.business.billing.locks import lock_invoice
from igny8_core.business.billing.models import (
    INVOICE_MOVES,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    Payment,
    PaymentStatus,
)
from igny8_core.business.billing.pricing import plan_line
from igny8_core.business.billing.selectors import has_payment_under_way
from igny8_core.business.billing.services.charge_records import payment_event
from igny8_core.business.billing.services.gateway_calls import gateway_refusals
from igny8_core.business.billing.services.gateway_refunds import GatewayRefundService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.settlement import settle
from igny8_core.business.billing.services.stripe_subscriptions import sync_subscription
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.events import services as events

logger = logging.getLogger(__name__)


class SubscriptionMirrorService:
    """How subscriptions and invoices of Stripe come here.

    All methods raise GatewayNotConfigured, GatewayUnavailable, GatewayMisconfigured, and RuntimeError in a transaction.
    They may run at any time, in any order, as often as one likes.
    """

    @staticmethod
    def sync(stripe_subscription_id: str) -> Subscription | None:
        """As SubscriptionService.sync_from_stripe: follows status, period and plan; touches no money and no credits."""
        return sync_subscription(stripe_subscription_id)

    @staticmethod
    def record_invoice(stripe_invoice_id: str) -> Invoice | None:
        """Mirror an invoice of a subscription that Stripe bills: ours has the same amounts, and our number.

        What Stripe was paid is settled here once, with its credits. An unpaid one stays open: Stripe tries again. None
        where nothing is to be recorded: another product's, a draft, one over nothing.
        """
        require_no_transaction()
        try:
            with gateway_refusals():
                seen = configured_stripe().invoice(stripe_invoice_id)
        except UnknownObject:
            return None
        has_paid = seen.status == "paid" and seen.amount_paid > 0
        subscription = sync_subscription(seen.subscription_id, has_paid=has_paid) if seen.subscription_id else None
        invoice = _record(subscription, seen) if subscription else None
        if invoice and invoice.status == InvoiceStatus.PAID:
            _book_what_went_back(invoice)
        return invoice


@service_transaction
def _record(subscription: Subscription, seen: MirroredInvoice) -> Invoice | None:
    account = lock_account(subscription.account_id)
    subscription = Subscription.objects.select_related("plan").get(account=account, pk=subscription.pk)
    subscription.account = account
    known = Invoice.objects.filter(account=account, stripe_invoice_id=seen.invoice_id).first()
    if seen.status == "paid" and seen.amount_paid > 0:
        return _record_paid(subscription, seen, known)
    if seen.status == "open" and seen.amount_due > 0:
        return known or _made(subscription, seen, seen.amount_due)
    can_be_void = known is not None and InvoiceStatus.VOID in INVOICE_MOVES[known.status]
    if seen.status == "void" and known and can_be_void and not has_payment_under_way(known):
        return InvoiceService.mark_void(known, "Voided at Stripe")
    return known


def _record_paid(subscription: Subscription, seen: MirroredInvoice, known: Invoice | None) -> Invoice | None:
    if known and known.status == InvoiceStatus.PAID:
        return known
    if _is_counted(seen) or (known and not _fits(known, seen)):
        logger.error("a paid invoice of Stripe does not fit what is here", extra={"stripe_invoice": seen.invoice_id})
        return known
    account = subscription.account
    invoice = known or _made(subscription, seen, seen.amount_paid)
    invoice = lock_invoice(account, invoice.pk)
    invoice.account, invoice.subscription = account, subscription
    with events.recorded_together():
        settle(_payment(account, invoice, seen))
    return invoice


def _book_what_went_back(invoice: Invoice) -> None:
    """Refunds that were made, and told of, before the payment was known here."""
    for payment in invoice.payments.exclude(stripe_payment_intent_id=""):
        GatewayRefundService.sync(payment)


def _is_counted(seen: MirroredInvoice) -> bool:
    """Whether a payment here has this money already."""
    by_intent = Payment.objects.filter(stripe_payment_intent_id=seen.payment_intent_id)
    by_charge = Payment.objects.filter(stripe_charge_id=seen.charge_id)
    return bool(seen.payment_intent_id and by_intent.exists()) or bool(seen.charge_id and by_charge.exists())


def _fits(invoice: Invoice, seen: MirroredInvoice) -> bool:
    can_be_paid = InvoiceStatus.PAID in INVOICE_MOVES[invoice.status]
    return can_be_paid and (invoice.total, invoice.currency) == (seen.amount_paid, seen.currency)


def _payment(account: Account, invoice: Invoice, seen: MirroredInvoice) -> Payment:
    payment = Payment.objects.create(
        account=account,
        invoice=invoice,
        amount=invoice.total,
        currency=invoice.currency,
        payment_method=PaymentMethodType.STRIPE,
        status=PaymentStatus.SUCCEEDED,
        processed_at=clock.now(),
        stripe_payment_intent_id=seen.payment_intent_id,
        stripe_charge_id=seen.charge_id,
        metadata={"stripe_invoice_id": seen.invoice_id},
    )
    events.record(payment_event("payment.succeeded", payment))
    return payment


def _made(subscription: Subscription, seen: MirroredInvoice, total: Decimal) -> Invoice:
    return InvoiceService.create_invoice(
        subscription.account,
        [_line(subscription, seen, total)],
        subscription,
        currency=seen.currency,
        # Stripe has sent its own, and its customer does not pay this one to us.
        send=False,
        stripe_invoice_id=seen.invoice_id,
    )


def _line(subscription: Subscription, seen: MirroredInvoice, total: Decimal) -> dict[str, Any]:
    line = plan_line(subscription.plan) | {
        "amount": total,
        "period_start": seen.period_start,
        "period_end": seen.period_end,
    }
    if seen.description:
        line["description"] = seen.description
    if _is_granted(subscription, line["period_end"]):
        line["credits"] = 0
    return line


def _is_granted(subscription: Subscription, period_end: datetime | None) -> bool:
    """Whether the credits of a period are on another invoice: one for a change within it brings no second lot."""
    sold = InvoiceLine.objects.filter(account_id=subscription.account_id, invoice__subscription=subscription)
    of_period = sold.filter(kind=LineKind.PLAN, period_end=period_end)
    return of_period.exclude(invoice__status=InvoiceStatus.VOID).exists()
