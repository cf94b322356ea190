"""Create invoices, mark them paid, void them."""

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from igny8_core.auth.errors import AccountDeleted
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing.allocations import SETTLE, SETTLE_SET
from igny8_core.business.billing.errors import AttemptOpen, BillingBoundReached, InvoiceNotPayable, InvoiceNotSendable
from igny8_core.business.billing.locks import lock_invoice
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    INVOICE_TRANSITIONS,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Payment,
)
from igny8_core.business.billing.pricing import checked_lines, ordered_line, subtotal
from igny8_core.business.billing.services.invoices import numbering
from igny8_core.business.billing.services.invoices.lines import unsaved_lines
from igny8_core.business.billing.services.invoices.offers import record_offers
from igny8_core.business.billing.services.payment_states.under_way import payment_being_decided, why_undecided
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput, TransitionNotAllowed
from igny8_core.common.languages import in_language
from igny8_core.common.set_writes import handed_over
from igny8_core.common.states import transition
from igny8_core.events import services as events
from igny8_core.events.resending import require_not_just_sent

logger = logging.getLogger(__name__)
MAX_DUE_DAYS = 365


@service_transaction
def create_invoice(
    account: Account,
    line_items: Sequence[dict[str, Any]],
    subscription: Subscription | None = None,
    *,
    currency: str = "",
    notes: str = "",
    due_date: date | None = None,
    send: bool = True,
    created_by: User | None = None,
    stripe_invoice_id: str = "",
    purchase_order_number: str = "",
    request_key: UUID | None = None,
    buyer: dict[str, str] | None = None,
    replaces: Invoice | None = None,
) -> Invoice:
    """Create a pending invoice with the next number, a billing snapshot and the lines that `line_items` describe.

    `line_items`: each `{"description": str, "quantity": int, "amount": Decimal | str}`; `amount` is the price of one
    unit. A line that sells a plan or package also has its `kind` and the row, or its current slug (pricing.plan_line).
    `currency`: ISO 4217; empty means the subscription's, otherwise that of the account's plan. `due_date`: from today
    to a year ahead; None means settings.INVOICE_DUE_DAYS days from today. `send`: whether the customer gets a mail.
    `stripe_invoice_id`: the invoice at Stripe that this one mirrors. `request_key`: of the form that it was written in;
    the account's invoice with the same key is returned as it is. `buyer`: what billing_snapshot would say, where the
    document names somebody else than the account does. `replaces`: the invoice that it corrects.
    Raises InvalidInput or InvalidAmount naming the wrong line or date, BillingBoundReached if the subscription got too
    many invoices today.
    """
    sold_in = (subscription.terms_currency or subscription.plan.currency) if subscription else ""
    account = lock_account(account.pk, "plan", "owner")
    if account.deleted_at:
        raise AccountDeleted()
    if request_key and (earlier := Invoice.objects.filter(account=account, request_key=request_key).first()):
        return earlier
    currency = currency or sold_in or account.plan.currency
    checked = checked_lines(line_items, currency)
    lines, total = unsaved_lines(account, checked), subtotal(checked)
    if total <= 0:
        raise InvalidInput(_("The total of an invoice must be more than zero."))
    if subscription:
        _require_within_bound(subscription)
    today = clock.today()
    metadata: dict[str, Any] = {"billing_snapshot": buyer or billing_snapshot(account), "language": account.language}
    if subscription:
        metadata["subscription_id"] = subscription.pk
    invoice = Invoice.objects.create(
        account=account,
        subscription=subscription,
        invoice_number=numbering.next_invoice_number(account.pk, today),
        status=InvoiceStatus.PENDING,
        currency=currency,
        subtotal=total,
        tax=Decimal(0),
        total=total,
        invoice_date=today,
        due_date=_due_date(due_date, today),
        notes=notes,
        stripe_invoice_id=stripe_invoice_id,
        purchase_order_number=purchase_order_number,
        request_key=request_key,
        replaces=replaces,
        metadata=metadata,
    )
    for line in lines:
        line.invoice = invoice
    InvoiceLine.objects.bulk_create(lines)
    invoice.keep_lines(lines)
    record_offers(invoice, buyer["country"] if buyer else account.billing_country)
    # The event is recorded in any case; the consumer that sends mails reads `send`.
    events.record(_event("invoice.created", invoice, created_by, **({} if send else {"send": False})))
    return invoice


def create_subscription_invoice(subscription: Subscription, created_by: User | None = None) -> Invoice:
    """Create the invoice for a period of a subscription by its terms; the first one by its plan's current terms."""
    account = subscription.account
    with in_language(account.language):
        line = ordered_line(subscription)
    return create_invoice(account, [line], subscription, created_by=created_by)


def generate_invoice_number(account: Account) -> str:
    """Take the account's next invoice number of this month. Call it in the transaction that creates the invoice."""
    return numbering.next_invoice_number(account.pk, clock.today())


@service_transaction
def mark_paid(invoice: Invoice, payment: Payment) -> Invoice:
    """Allocate a captured payment of exactly its total to the invoice, which makes the invoice paid.

    Raises InvoiceNotPayable if the payment does not cover this invoice, or the invoice is void or already paid.
    """
    covers = payment.invoice_id == invoice.pk and payment.status in CAPTURED_STATUSES
    if not covers or (payment.amount, payment.currency) != (invoice.total, invoice.currency):
        raise InvoiceNotPayable(
            _("Payment %(payment)s does not cover invoice %(invoice_number)s.")
            % {"payment": payment.pk, "invoice_number": invoice.invoice_number}
        )
    if InvoiceStatus.PAID not in INVOICE_TRANSITIONS[invoice.status]:
        raise InvoiceNotPayable(
            _("Invoice %(invoice_number)s is %(status)s and cannot be paid.")
            % {"invoice_number": invoice.invoice_number, "status": invoice.status}
        )
    _settle(invoice, payment)
    events.record(_event("invoice.paid", invoice, payment.approved_by_id))
    return invoice


@service_transaction
def mark_void(invoice: Invoice, reason: str, voided_by: events.Actor = None) -> Invoice:
    """Void an unpaid invoice. It keeps its number. An open attempt to pay it at a gateway is closed first.

    Raises TransitionNotAllowed if it is already paid or void, or if a payment of it is under way. If an open attempt
    was paid or cannot be closed: InvoicePaidMeanwhile, PaymentBeingChecked, AttemptNotClosed.
    """
    account = lock_account(invoice.account_id)
    invoice = lock_invoice(account, invoice.pk)
    if InvoiceStatus.VOID in INVOICE_TRANSITIONS[invoice.status]:
        _require_no_payment(invoice)
    transition(invoice, InvoiceStatus.VOID, INVOICE_TRANSITIONS, void_reason=reason)
    events.record(_event("invoice.voided", invoice, voided_by, reason=reason))
    return invoice


@service_transaction
def send_again(invoice: Invoice, sent_by: User) -> Invoice:
    """Mail the invoice to its customer once more, with its PDF and how to pay it.

    Raises InvoiceNotSendable, MailJustSent for a second click, also for a page of results that is loaded again.
    """
    account = lock_account(invoice.account_id, "owner")
    invoice = lock_invoice(account, invoice.pk)
    if why_not := why_not_sent(invoice):
        raise InvoiceNotSendable(why_not)
    require_not_just_sent("invoice.sent", invoice)
    events.record(_event("invoice.sent", invoice, sent_by))
    return invoice


def why_not_sent(invoice: Invoice) -> str:
    """Why an invoice cannot be mailed, as a sentence; empty if it can. Reads the account and its owner."""
    if invoice.status in (InvoiceStatus.DRAFT, InvoiceStatus.VOID):
        return _("It is %(status)s: there is nothing to send.") % {"status": invoice.get_status_display().lower()}
    if invoice.account.deleted_at:
        return _("The account was deleted.")
    if not invoice.account.address_for_mail:
        return _("The account has no confirmed e-mail address. Enter one on its page.")
    return ""


def why_not_voided(invoice: Invoice) -> str:
    """Why an invoice cannot be void as it stands, as a sentence; empty if it can. mark_void also asks the gateways."""
    if InvoiceStatus.VOID not in INVOICE_TRANSITIONS[invoice.status]:
        status = invoice.get_status_display().lower()
        return _("It is %(status)s: only unpaid invoices can be voided.") % {"status": status}
    try:
        payment = payment_being_decided(invoice)
    except AttemptOpen:
        # mark_void closes it.
        return ""
    return why_undecided(payment) if payment else ""


def _settle(invoice: Invoice, payment: Payment) -> None:
    parties = [invoice.account_id, invoice.pk, invoice.status, payment.pk]
    decided = [payment.amount, payment.currency, payment.approved_by_id, payment.processed_at, clock.now()]
    if not (handed_over(SETTLE_SET, parties + decided) or SETTLE.fetch_one(parties + decided)):
        raise TransitionNotAllowed(_("Somebody else has just changed the invoice. Look at it again."))
    invoice.status, invoice.paid_at = InvoiceStatus.PAID, payment.processed_at
    invoice.settled_amount = payment.amount


def _require_no_payment(invoice: Invoice) -> None:
    payment = payment_being_decided(invoice)
    if payment:
        raise TransitionNotAllowed(
            _("%(why_undecided)s Void the invoice once that is decided.") % {"why_undecided": why_undecided(payment)}
        )


def _require_within_bound(subscription: Subscription) -> None:
    """Stop a programming error that would bill in a loop (AMT-12)."""
    today = Invoice.objects.filter(subscription=subscription, created_at__gt=clock.now() - timedelta(days=1))
    if today.count() >= settings.MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY:
        logger.error("too many invoices of a subscription", extra={"subscription": subscription.pk})
        raise BillingBoundReached()


def _due_date(wanted: date | None, today: date) -> date:
    if wanted is None:
        return today + timedelta(days=settings.INVOICE_DUE_DAYS)
    latest = today + timedelta(days=MAX_DUE_DAYS)
    if not today <= wanted <= latest:
        raise InvalidInput(
            errors={
                "due_date": [
                    _("Expected a date from %(today)s (today, UTC) to %(latest)s.") % {"today": today, "latest": latest}
                ]
            }
        )
    return wanted


def billing_snapshot(account: Account) -> dict[str, str]:
    """What an invoice keeps of its account: names and addresses as they are now. Reads the account's owner."""
    return {
        "email": account.address_for_documents,
        "name": account.name,
        "address_line1": account.billing_address_line1,
        "address_line2": account.billing_address_line2,
        "city": account.billing_city,
        "state": account.billing_state,
        "postal_code": account.billing_postal_code,
        "country": account.billing_country,
        "tax_id": account.tax_id,
        "snapshot_date": clock.now().isoformat(),
    }


def _event(event_type: str, invoice: Invoice, actor: events.Actor, **data: str | bool) -> events.NewEvent:
    facts = {"invoice_number": invoice.invoice_number, "total": str(invoice.total), "currency": invoice.currency}
    return events.about(event_type, invoice, actor, facts | data)
