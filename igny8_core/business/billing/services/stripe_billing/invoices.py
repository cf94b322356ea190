"""The mirror of what Stripe bills by itself: subscriptions that were made there, and their invoices.

Strictly apart from our own billing: nothing is charged, and only what Stripe has collected is recorded, once.
"""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Q

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, PaymentMethodType, Subscription
from igny8_core.business.billing.errors import UnmatchedAtGateway
from igny8_core.business.billing.gateways import configured_stripe
from igny8_core.business.billing.gateways.protocol import UnknownObject
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.gateways.stripe.mirrored import MirroredInvoice
from igny8_core.business.billing.locks import lock_invoice
from igny8_core.business.billing.models import (
    INVOICE_TRANSITIONS,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    Payment,
)
from igny8_core.business.billing.pricing import plan_line
from igny8_core.business.billing.selectors import has_payment_under_way
from igny8_core.business.billing.services.invoices.lifecycle import create_invoice, mark_void
from igny8_core.business.billing.services.payment_states.stranded import unless_stranded
from igny8_core.business.billing.services.payment_states.transitions import flag_for_review, start
from igny8_core.business.billing.services.refunds.gateway_refunds import sync_refunds
from igny8_core.business.billing.services.settlement import capture
from igny8_core.business.billing.services.stripe_billing.subscriptions import sync_subscription
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.common.money import format_amount


def record_invoice(stripe_invoice_id: str) -> Invoice | None:
    """Mirror an invoice of a subscription that Stripe bills: ours has the same amounts, and our number.

    What Stripe was paid is settled here once, with its credits. An unpaid one stays open: Stripe tries again. None
    where nothing is to be recorded: a stranger's, a draft, one over nothing. Money of a customer of ours that
    cannot be booked waits for an operator: as a payment that needs review, else as UnmatchedAtGateway.
    """
    require_no_transaction()
    try:
        with gateway_refusals():
            seen = configured_stripe().invoice(stripe_invoice_id)
    except UnknownObject:
        return None
    has_paid = seen.status == "paid" and seen.amount_paid > 0
    subscription = sync_subscription(seen.subscription_id, has_paid=has_paid) if seen.subscription_id else None
    if subscription is None:
        if has_paid:
            _require_stranger(seen)
        return None
    record = partial(_record, subscription, seen)
    invoice = unless_stranded(record, partial(_keep_visible, subscription, seen)) if has_paid else record()
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
    can_be_void = known is not None and InvoiceStatus.VOID in INVOICE_TRANSITIONS[known.status]
    if seen.status == "void" and known and can_be_void and not has_payment_under_way(known):
        return mark_void(known, "Voided at Stripe")
    return known


def _record_paid(subscription: Subscription, seen: MirroredInvoice, known: Invoice | None) -> Invoice | None:
    if known and known.status == InvoiceStatus.PAID:
        return known
    begun = _payment_of(seen)
    if begun and known and begun.needs_review and begun.invoice_id == known.pk:
        return known
    _require_fits(seen, known, begun)
    payment = begun or _started(subscription, seen, known)
    invoice = payment.invoice = lock_invoice(subscription.account, payment.invoice_id)
    payment.account, invoice.subscription = subscription.account, subscription
    capture(payment, next_check_at=None)
    return invoice


@service_transaction
def _keep_visible(subscription: Subscription, seen: MirroredInvoice, reason: str) -> Invoice | None:
    """Record what Stripe has collected as a payment that needs review."""
    subscription.account = lock_account(subscription.account_id)
    known = Invoice.objects.filter(account=subscription.account, stripe_invoice_id=seen.invoice_id).first()
    begun = _payment_of(seen)
    if begun is None and (known is None or _fits(known, seen)):
        begun = _started(subscription, seen, known)
    elif begun is None or known is None or begun.invoice_id != known.pk:
        raise UnmatchedAtGateway(reason)
    if not begun.needs_review:
        flag_for_review(begun, reason)
    return begun.invoice


def _book_what_went_back(invoice: Invoice) -> None:
    """Refunds that were made, and told of, before the payment was known here."""
    for payment in invoice.payments.filter(payment_method=PaymentMethodType.STRIPE).exclude(gateway_object_id=""):
        sync_refunds(payment)


def _require_stranger(seen: MirroredInvoice) -> None:
    """Raises UnmatchedAtGateway where one of our customers paid for what no subscription here stands for."""
    if seen.customer_id and Account.objects.filter(stripe_customer_id=seen.customer_id).exists():
        raise UnmatchedAtGateway(
            f"{_collected(seen)} of a customer of ours, and no subscription here stands for it. Enter Stripe's price "
            "at the plan that was sold and process the message again, or give the money back at Stripe."
        )


def _require_fits(seen: MirroredInvoice, known: Invoice | None, begun: Payment | None) -> None:
    """Raises UnmatchedAtGateway where the money is another payment's already, or not what our invoice is over."""
    if begun and (known is None or begun.invoice_id != known.pk):
        raise UnmatchedAtGateway(
            f"{_collected(seen)}; payment {begun.pk} of invoice {begun.invoice.invoice_number} has the same money. "
            "Compare both with Stripe's dashboard."
        )
    if known and not _fits(known, seen):
        raise UnmatchedAtGateway(
            f"{_collected(seen)}; our invoice {known.invoice_number} is {known.status} over {known.total} "
            f"{known.currency}. Compare both with Stripe's dashboard, and give back there what is too much."
        )


def _collected(seen: MirroredInvoice) -> str:
    return f"Stripe collected {format_amount(seen.amount_paid, seen.currency)} {seen.currency} for {seen.invoice_id}"


def _payment_of(seen: MirroredInvoice) -> Payment | None:
    """The payment here that has this money already."""
    by_intent = Q(gateway_object_id=seen.payment_intent_id) & ~Q(gateway_object_id="")
    by_charge = Q(gateway_capture_id=seen.charge_id) & ~Q(gateway_capture_id="")
    payments = Payment.objects.filter(payment_method=PaymentMethodType.STRIPE)
    return payments.filter(by_intent | by_charge).select_related("invoice", "approved_by").first()


def _fits(invoice: Invoice, seen: MirroredInvoice) -> bool:
    can_be_paid = InvoiceStatus.PAID in INVOICE_TRANSITIONS[invoice.status]
    return can_be_paid and (invoice.total, invoice.currency) == (seen.amount_paid, seen.currency)


def _started(subscription: Subscription, seen: MirroredInvoice, known: Invoice | None) -> Payment:
    """A payment of the whole invoice, which is made where it is not known."""
    return start(
        subscription.account,
        known or _made(subscription, seen, seen.amount_paid),
        payment_method=PaymentMethodType.STRIPE,
        next_check_at=clock.now(),
        gateway_object_id=seen.payment_intent_id,
        gateway_capture_id=seen.charge_id,
        metadata={"stripe_invoice_id": seen.invoice_id},
    )


def _made(subscription: Subscription, seen: MirroredInvoice, total: Decimal) -> Invoice:
    return create_invoice(
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
    """Whether the credits of a period are on another invoice: one for a change within it brings no second grant."""
    sold = InvoiceLine.objects.filter(account_id=subscription.account_id, invoice__subscription=subscription)
    of_period = sold.filter(kind=LineKind.PLAN, period_end=period_end)
    return of_period.exclude(invoice__status=InvoiceStatus.VOID).exists()
