"""What follows from money that came in, whether an operator, a gateway or a check found it: one place, one order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import (
    PLAN_LINES,
    CreditGrantKind,
    CreditTransactionType,
    Invoice,
    InvoiceLine,
    Payment,
)
from igny8_core.business.billing.pricing import credit_line
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_transitions import succeed
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.common import clock
from igny8_core.events import services as events


@dataclass(frozen=True)
class Settlement:
    """What a captured payment brought about."""

    payment: Payment
    credits_added: int
    total_credits: int

    @property
    def invoice(self) -> Invoice:
        return self.payment.invoice

    @property
    def account(self) -> Account:
        return self.payment.account


def capture(payment: Payment, by: User | None = None, **columns: Any) -> Settlement:
    """The money of a payment is here. This alone makes a payment succeed, and does what follows, all or nothing.

    `by`: the operator who found the money; None where its gateway has it. `columns` of the payment are written with the
    move. The caller holds the locks of account, payment and invoice.
    Raises MoveNotAllowed, InvoiceNotPayable, SubscriptionNotPayable.
    """
    account, invoice = payment.account, payment.invoice
    with events.recorded_together():
        succeed(payment, by, **columns)
        InvoiceService.mark_paid(invoice, payment)
        if invoice.subscription:
            invoice.subscription.account = account
            SubscriptionService.activate(invoice.subscription, payment)
        added = _grant_credits(invoice, payment)
    return Settlement(payment, added, account.credits)


def _grant_credits(invoice: Invoice, payment: Payment) -> int:
    """Grant what the invoice sold, once for the invoice, whichever payment brought the last of its money."""
    line = credit_line(invoice.lines.all())
    if line is None:
        return 0
    is_plan = line.kind in PLAN_LINES
    amount = (line.credits or 0) * line.quantity
    CreditService.grant(
        payment.account,
        amount,
        kind=CreditGrantKind.PLAN if is_plan else CreditGrantKind.PURCHASE,
        transaction_type=CreditTransactionType.SUBSCRIPTION if is_plan else CreditTransactionType.PURCHASE,
        source=f"invoice:{invoice.pk}",
        description=f"{line.description} ({invoice.invoice_number})",
        expires_at=_expiry(payment, line),
        actor=payment.approved_by,
        metadata={"invoice_id": invoice.pk, "payment_id": payment.pk},
    )
    return amount


def _expiry(payment: Payment, line: InvoiceLine) -> datetime | None:
    """When credits of an invoice line end: plan credits with their period, bought ones by their package's days."""
    paid_at = payment.processed_at or clock.now()
    if line.valid_days:
        return paid_at + timedelta(days=line.valid_days)
    if line.kind not in PLAN_LINES or line.credits_rollover:
        return None
    period_end = payment.invoice.billing_period_end
    # A change of plan can be paid after the period that it was for: what was paid for is not taken at once.
    return period_end if period_end and period_end > paid_at else None
