"""Invoices of subscriptions that Stripe bills: our invoices mirror Stripe's.

This is separate from our own billing: nothing is charged here. What Stripe has collected is recorded, once.
"""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

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
from igny8_core.business.billing.services.payment_states.stranded import book_or_flag
from igny8_core.business.billing.services.payment_states.transitions import flag_for_review, start
from igny8_core.business.billing.services.refunds.gateway_refunds import sync_refunds
from igny8_core.business.billing.services.settlement import capture
from igny8_core.business.billing.services.stripe_billing.subscriptions import sync_subscription
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.common.marks import gettext_noop
from igny8_core.common.money import amount_text


def record_invoice(stripe_invoice_id: str) -> Invoice | None:
    """Mirror one invoice of a subscription that Stripe bills: the same amounts under a number of ours.

    Money that Stripe collected is settled here once, with its credits. An unpaid invoice stays open, because Stripe
    tries again. None if there is nothing to record: another product's invoice, a draft, or one over zero.
    If money of one of our customers cannot be booked, an operator has to look: at a payment that needs review, or at
    UnmatchedAtGateway, which is raised. RuntimeError in a transaction.
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
            _require_not_our_customer(seen)
        return None
    record = partial(_record, subscription, seen)
    invoice = book_or_flag(record, partial(_flag_unbooked, subscription, seen)) if has_paid else record()
    if invoice and invoice.status == InvoiceStatus.PAID:
        _book_earlier_refunds(invoice)
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
        return known or _create_invoice(subscription, seen, seen.amount_due)
    can_be_void = known is not None and InvoiceStatus.VOID in INVOICE_TRANSITIONS[known.status]
    if seen.status == "void" and known and can_be_void and not has_payment_under_way(known):
        return mark_void(known, gettext_noop("Voided at Stripe"))
    return known


def _record_paid(subscription: Subscription, seen: MirroredInvoice, known: Invoice | None) -> Invoice | None:
    if known and known.status == InvoiceStatus.PAID:
        return known
    begun = _payment_of(seen)
    if begun and known and begun.needs_review and begun.invoice_id == known.pk:
        return known
    _require_fits(seen, known, begun)
    payment = begun or _start_payment(subscription, seen, known)
    invoice = payment.invoice = lock_invoice(subscription.account, payment.invoice_id)
    payment.account, invoice.subscription = subscription.account, subscription
    capture(payment, next_check_at=None)
    return invoice


@service_transaction
def _flag_unbooked(subscription: Subscription, seen: MirroredInvoice, reason: str) -> Invoice | None:
    """Record money that Stripe has collected as a payment that needs review. Raises UnmatchedAtGateway."""
    subscription.account = lock_account(subscription.account_id)
    known = Invoice.objects.filter(account=subscription.account, stripe_invoice_id=seen.invoice_id).first()
    begun = _payment_of(seen)
    if begun is None and (known is None or _fits(known, seen)):
        begun = _start_payment(subscription, seen, known)
    elif begun is None or known is None or begun.invoice_id != known.pk:
        raise UnmatchedAtGateway(reason)
    if not begun.needs_review:
        flag_for_review(begun, reason)
    return begun.invoice


def _book_earlier_refunds(invoice: Invoice) -> None:
    """Book refunds that Stripe made before the payment was known here."""
    for payment in invoice.payments.filter(payment_method=PaymentMethodType.STRIPE).exclude(gateway_object_id=""):
        sync_refunds(payment)


def _require_not_our_customer(seen: MirroredInvoice) -> None:
    """Raises UnmatchedAtGateway if one of our customers paid for a subscription that does not exist here."""
    if seen.customer_id and Account.objects.filter(stripe_customer_id=seen.customer_id).exists():
        raise UnmatchedAtGateway(
            _(
                "%(collected)s from one of our customers, but no subscription here matches it. Enter "
                "Stripe's price at the plan that was sold and process the message again, or refund the "
                "money at Stripe."
            )
            % {"collected": _collected(seen)}
        )


def _require_fits(seen: MirroredInvoice, known: Invoice | None, begun: Payment | None) -> None:
    """Raises UnmatchedAtGateway if another payment already has this money, or our invoice's amount differs."""
    if begun and (known is None or begun.invoice_id != known.pk):
        raise UnmatchedAtGateway(
            _(
                "%(collected)s, but payment %(begun)s of invoice %(invoice_number)s already has this "
                "money. Compare both with Stripe's dashboard."
            )
            % {"collected": _collected(seen), "begun": begun.pk, "invoice_number": begun.invoice.invoice_number}
        )
    if known and not _fits(known, seen):
        raise UnmatchedAtGateway(
            _(
                "%(collected)s, but our invoice %(invoice_number)s is %(status)s over %(amount)s. "
                "Compare both with Stripe's dashboard, and refund there what was paid too much."
            )
            % {
                "collected": _collected(seen),
                "invoice_number": known.invoice_number,
                "status": known.status,
                "amount": amount_text(known.total, known.currency),
            }
        )


def _collected(seen: MirroredInvoice) -> str:
    return f"Stripe collected {amount_text(seen.amount_paid, seen.currency)} for {seen.invoice_id}"


def _payment_of(seen: MirroredInvoice) -> Payment | None:
    """The payment that already has this money, or None."""
    by_intent = Q(gateway_object_id=seen.payment_intent_id) & ~Q(gateway_object_id="")
    by_charge = Q(gateway_capture_id=seen.charge_id) & ~Q(gateway_capture_id="")
    payments = Payment.objects.filter(payment_method=PaymentMethodType.STRIPE)
    return payments.filter(by_intent | by_charge).select_related("invoice", "approved_by").first()


def _fits(invoice: Invoice, seen: MirroredInvoice) -> bool:
    can_be_paid = InvoiceStatus.PAID in INVOICE_TRANSITIONS[invoice.status]
    return can_be_paid and (invoice.total, invoice.currency) == (seen.amount_paid, seen.currency)


def _start_payment(subscription: Subscription, seen: MirroredInvoice, known: Invoice | None) -> Payment:
    """Start a payment of the whole invoice, and create the invoice if it is not here yet."""
    return start(
        subscription.account,
        known or _create_invoice(subscription, seen, seen.amount_paid),
        payment_method=PaymentMethodType.STRIPE,
        next_check_at=clock.now(),
        gateway_object_id=seen.payment_intent_id,
        gateway_capture_id=seen.charge_id,
        metadata={"stripe_invoice_id": seen.invoice_id},
    )


def _create_invoice(subscription: Subscription, seen: MirroredInvoice, total: Decimal) -> Invoice:
    return create_invoice(
        subscription.account,
        [_line(subscription, seen, total)],
        subscription,
        currency=seen.currency,
        # Stripe has sent its own invoice, and the customer does not pay this one to us.
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
    if _has_granted_credits(subscription, line["period_end"]):
        line["credits"] = 0
    return line


def _has_granted_credits(subscription: Subscription, period_end: datetime | None) -> bool:
    """Whether another invoice already grants the period's credits. A change within the period grants no more."""
    sold = InvoiceLine.objects.filter(account_id=subscription.account_id, invoice__subscription=subscription)
    of_period = sold.filter(kind=LineKind.PLAN, period_end=period_end)
    return of_period.exclude(invoice__status=InvoiceStatus.VOID).exists()
