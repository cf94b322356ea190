"""Take issued invoices back with a credit note, and correct whom they are addressed to. The invoice stays as it is.

Money that goes back has its credit note from refunds/booking.py.
"""

from datetime import UTC
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing.errors import InvoiceNotCreditable
from igny8_core.business.billing.locks import lock_invoice
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    INVOICE_TRANSITIONS,
    REFUNDS_UNDER_WAY,
    Allocation,
    AllocationKind,
    CreditNote,
    DunningPause,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    Payment,
    PaymentStatus,
    Refund,
    Renewal,
)
from igny8_core.business.billing.services.invoices import numbering
from igny8_core.business.billing.services.invoices.lifecycle import create_invoice, mark_void
from igny8_core.business.billing.services.invoices.lines import LINE_COLUMNS
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.states import transition
from igny8_core.events import services as events

UNPAID = frozenset({InvoiceStatus.PENDING, InvoiceStatus.UNCOLLECTIBLE})


def corrected(invoice: Invoice) -> Invoice:
    """The invoice that holds today: the last of those that correct it, or itself."""
    while later := invoice.replaced_by:
        invoice = later
    return invoice


def left_to_credit(invoice: Invoice) -> Decimal:
    """What no credit note has taken back yet."""
    notes = CreditNote.objects.filter(account_id=invoice.account_id, invoice=invoice)
    left: Decimal = invoice.total - (notes.aggregate(sum=Sum("amount"))["sum"] or 0)
    return left


def payment_behind(invoice: Invoice) -> Payment | None:
    """The captured payment that paid an invoice, or one that it corrects; None if no money did."""
    while (found := _captured(invoice)) is None and invoice.replaces_id:
        invoice = Invoice.objects.get(account_id=invoice.account_id, pk=invoice.replaces_id)
    return found


def _captured(invoice: Invoice) -> Payment | None:
    captured = Payment.objects.filter(account_id=invoice.account_id, invoice=invoice, status__in=CAPTURED_STATUSES)
    return captured.select_related("invoice").order_by("-pk").first()


@service_transaction
def credit_unpaid(invoice: Invoice, reason: str, credited_by: User) -> CreditNote:
    """Take an unpaid invoice back as a whole: it becomes void, and the customer gets a credit note that says why.

    Raises InvoiceNotCreditable, and what mark_void raises.
    """
    account = lock_account(invoice.account_id, "owner")
    invoice = lock_invoice(account, invoice.pk)
    _require_issued(invoice)
    if invoice.status not in UNPAID:
        raise InvoiceNotCreditable(_("Only an unpaid invoice can be taken back without a refund."))
    with events.recorded_together():
        note = _credit_note(invoice, invoice.total, reason, credited_by)
        mark_void(invoice, _("Credit note %(number)s") % {"number": note.credit_note_number}, credited_by)
    return note


@service_transaction
def correct_buyer(
    invoice: Invoice, buyer: dict[str, str], reason: str, corrected_by: User, *, send: bool = True
) -> Invoice:
    """Put an invoice with another buyer in the place of an issued one; returns the new one.

    `buyer`: the names and addresses of its billing_snapshot. An unpaid invoice becomes void, and the new one sells the
    same. A paid one is taken back by a credit note that settles the new one, which grants nothing once more. The
    account keeps its own details. `send`: mail the new one, and the credit note where there is one.
    Raises InvoiceNotCreditable, and what mark_void and create_invoice raise.
    """
    account = lock_account(invoice.account_id, "plan", "owner")
    invoice = lock_invoice(account, invoice.pk)
    _require_issued(invoice)
    snapshot = {**buyer, "snapshot_date": clock.now().isoformat()}
    correct = _correct_unpaid if invoice.status in UNPAID else _correct_paid
    with events.recorded_together():
        new = correct(account, invoice, snapshot, reason, corrected_by, send)
        facts = {"invoice_number": invoice.invoice_number, "corrected_by": new.invoice_number, "reason": reason}
        events.record(events.about("invoice.corrected", invoice, corrected_by, facts))
    return new


def _correct_unpaid(
    account: Account, invoice: Invoice, buyer: dict[str, str], reason: str, by: User, send: bool
) -> Invoice:
    renewal = Renewal.objects.filter(account=account, invoice=invoice).first()
    of_invoice = Subscription.objects.filter(account=account, invoices=invoice)
    subscription = of_invoice.select_related("plan").first()
    lines = [_as_sold(line) for line in _lines_of(invoice)]
    new = _copy(account, invoice, lines, buyer, by, send, subscription)
    if renewal:
        renewal.invoice = new
        renewal.save(update_fields=["invoice"])
    # A later deadline that the customer was given is kept, too.
    DunningPause.objects.filter(account=account, invoice=invoice, ended_at=None).update(invoice=new)
    mark_void(invoice, _("Corrected by %(number)s: %(reason)s") % {"number": new, "reason": reason}, by)
    return new


def _correct_paid(
    account: Account, invoice: Invoice, buyer: dict[str, str], reason: str, by: User, send: bool
) -> Invoice:
    _require_whole(invoice)
    note = _credit_note(invoice, invoice.total, reason, by, send=send)
    # What was sold stands on the invoice that was paid: this one must not sell it again.
    lines = [_as_text(line) for line in _lines_of(invoice)]
    new = _copy(account, invoice, lines, buyer, by, send, None)
    Allocation.objects.create(
        account=account,
        invoice=new,
        credit_note=note,
        kind=AllocationKind.CREDITED,
        amount=note.amount,
        currency=note.currency,
        made_by=by,
    )
    columns = {"settled_amount": note.amount, "paid_at": note.created_at}
    transition(new, InvoiceStatus.PAID, INVOICE_TRANSITIONS, **columns)
    facts = {"invoice_number": new.invoice_number, "total": str(new.total), "currency": new.currency}
    events.record(events.about("invoice.paid", new, by, facts | {"credit_note": note.credit_note_number}))
    return new


def _copy(
    account: Account,
    invoice: Invoice,
    lines: list[dict[str, Any]],
    buyer: dict[str, str],
    by: User,
    send: bool,
    subscription: Subscription | None,
) -> Invoice:
    return create_invoice(
        account,
        lines,
        subscription,
        currency=invoice.currency,
        notes=invoice.notes,
        due_date=max(invoice.due_date, clock.today()),
        send=send,
        created_by=by,
        purchase_order_number=invoice.purchase_order_number,
        buyer=buyer,
        replaces=invoice,
    )


def _lines_of(invoice: Invoice) -> QuerySet[InvoiceLine]:
    return invoice.lines.select_related("plan", "package")


def _as_sold(line: InvoiceLine) -> dict[str, Any]:
    """The line with everything that it sells."""
    said = {name: value for name in LINE_COLUMNS if (value := getattr(line, name)) not in (None, "")}
    sold = {name: row for name in ("plan", "package") if (row := getattr(line, name))}
    return {**said, **sold, "kind": LineKind(line.kind), "amount": line.unit_amount}


def _as_text(line: InvoiceLine) -> dict[str, Any]:
    """The line with what it says and costs. Only what was unused of a plan can be less than nothing."""
    said = {"description": line.description, "quantity": line.quantity, "amount": line.unit_amount}
    return said | ({"kind": LineKind.UNUSED_TIME, "plan": line.plan} if line.kind == LineKind.UNUSED_TIME else {})


def _require_issued(invoice: Invoice) -> None:
    if later := invoice.replaced_by:
        raise InvoiceNotCreditable(
            _("This invoice was corrected by %(number)s. Look at that one.") % {"number": later.invoice_number}
        )
    if invoice.status in (InvoiceStatus.DRAFT, InvoiceStatus.VOID):
        raise InvoiceNotCreditable(
            _("This invoice is %(status)s. Only an issued one can be credited or corrected.")
            % {"status": invoice.get_status_display().lower()}
        )
    if invoice.stripe_invoice_id:
        raise InvoiceNotCreditable(_("Stripe makes and collects this invoice. Credit or correct it there."))


def _require_whole(invoice: Invoice) -> None:
    """Refuse to correct a paid invoice of which money went back or may go back."""
    payment = payment_behind(invoice)
    is_unsettled = payment is not None and (
        payment.status != PaymentStatus.SUCCEEDED
        or Refund.objects.filter(payment=payment, status__in=REFUNDS_UNDER_WAY).exists()
    )
    if is_unsettled or left_to_credit(invoice) != invoice.total:
        raise InvoiceNotCreditable(
            _("Money of this invoice went back, or is disputed. It has to stay as it is; write a new one by hand.")
        )


def _credit_note(invoice: Invoice, amount: Decimal, reason: str, by: User, *, send: bool = True) -> CreditNote:
    now = clock.now()
    number = numbering.next_credit_note_number(invoice.account_id, now.astimezone(UTC).date())
    note = CreditNote.objects.create(
        account_id=invoice.account_id,
        invoice=invoice,
        credit_note_number=number,
        amount=amount,
        currency=invoice.currency,
        reason=reason,
        created_by=by,
        created_at=now,
    )
    facts = {"invoice_number": invoice.invoice_number, "credit_note": number, "reason": reason}
    facts |= {"amount": str(amount), "currency": invoice.currency}
    quiet = {} if send else {"send": False}
    events.record(events.about("invoice.credited", invoice, by, facts | quiet))
    return note
