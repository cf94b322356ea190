"""How much money for the running period is still here: that is what a change of plan gives credit for.

The rule (docs/domain.md section 4, Change of plan):

- Money counts, not the plan's price: of each paid invoice, the part that paid for a plan. It does not count if it was
  refunded, is being refunded, was lost in a dispute, or is in another currency than the terms in force. Money in an
  open dispute does not count until the dispute is won.
- Each invoice paid for the time from its pricing (the first invoice: from its payment) to the end of the period. The
  share of that time that is left, to the second, is unused.
- A change that started a new period carried the unused money of the old period into it. What was refunded of that
  money since then no longer counts.
- All shares are added up exactly and rounded once. The sum is never more than the plan in force costs for the time
  that is left (pricing.unused_time).
- Credits follow the same shares: those granted, minus those that refunds took back.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from igny8_core.auth.models import Subscription
from igny8_core.business.billing.models import PLAN_LINES, UNUSED_TIME, Invoice, InvoiceLine, LineKind
from igny8_core.business.billing.pricing import PaidPart, period_end, plan_line_of
from igny8_core.business.billing.selectors import money_of_plans


@dataclass
class _Epoch:
    """One period and what was paid for it: the first part covers all of it, each later change the rest of it."""

    begin: datetime
    end: datetime
    parts: list[PaidPart] = field(default_factory=list)

    def add(self, amount: Fraction, granted: int, begin: datetime) -> None:
        # A payment after the period's end covers nothing.
        if begin < self.end:
            self.parts.append(PaidPart(amount, granted, begin, self.end))

    def unused_at(self, moment: datetime) -> Fraction:
        return sum((part.amount * part.share_left(moment) for part in self.parts), Fraction(0))


def paid_parts(subscription: Subscription, without: Invoice | None = None) -> list[PaidPart]:
    """The payments for a subscription's running period that are still here, by the rule above.

    `without`: an invoice to leave out, because it is the one that is being priced. The caller holds the account's lock
    if the answer decides something.
    """
    start, end = subscription.current_period_start, subscription.current_period_end
    if start is None or end is None:
        return []
    epoch: _Epoch | None = None
    for _, group in groupby(money_of_plans(subscription), key=lambda allocation: allocation.invoice_id):
        # Any, because it carries what the query annotates.
        allocations: list[Any] = list(group)
        invoice = allocations[0].invoice
        line = plan_line_of(invoice)
        if line and (without is None or invoice.pk != without.pk):
            money = sum((_still_here(row, subscription.terms_currency) for row in allocations), Fraction(0))
            taken_back = sum(row.credits_taken or 0 for row in allocations)
            epoch = _with(epoch, invoice, line, money, taken_back)
    # Money for earlier periods does not count. The running period ends when the subscription's does.
    if epoch is None or not start <= epoch.begin < end:
        return []
    return [
        PaidPart(part.amount, part.credits, start if part.begin == epoch.begin else part.begin, end)
        for part in epoch.parts
        if part.begin < end
    ]


def _with(epoch: _Epoch | None, invoice: Invoice, line: InvoiceLine, money: Fraction, taken_back: int) -> _Epoch | None:
    """The last paid period after adding one more invoice, of which `money` is still here."""
    lines = list(invoice.lines.all())
    of_plan = sum((row.line_total for row in lines if row.kind in {*PLAN_LINES, UNUSED_TIME}), Decimal(0))
    paid = money * Fraction(of_plan) / Fraction(invoice.total)
    granted = max(0, (line.credits or 0) * line.quantity - taken_back)
    paid_at = line.period_start if line.kind == LineKind.PLAN and line.period_start else invoice.paid_at
    priced_at = line.period_start or invoice.created_at
    if paid_at is None:
        return epoch
    if line.kind == LineKind.PLAN_CHANGE and not line.restarts_period:
        if epoch:
            epoch.add(paid, granted, max(priced_at, epoch.begin))
        return epoch
    if epoch and line.kind == LineKind.PLAN and epoch.begin <= paid_at < epoch.end:
        epoch.add(paid, granted, paid_at)
        return epoch
    if epoch and line.kind == LineKind.PLAN_CHANGE:
        set_off = -sum((row.line_total for row in lines if row.kind == UNUSED_TIME), Decimal(0))
        paid += min(Fraction(set_off), epoch.unused_at(priced_at))
    begun = _Epoch(paid_at, line.period_end or period_end(paid_at, 1, line.billing_cycle))
    begun.add(paid, granted, paid_at)
    return begun


def _still_here(allocation: Any, currency: str | None) -> Fraction:
    """The part of an allocation whose money is still here, in the currency of the terms (see money_of_plans)."""
    payment = allocation.payment
    if payment.currency != currency or allocation.is_unclear:
        return Fraction(0)
    # A lost dispute is booked as a refund too, at some gateways a little later: both are the same money.
    gone = max(payment.refunded_amount, allocation.lost or 0) + (allocation.disputed or 0) + (allocation.returning or 0)
    return Fraction(allocation.amount) * Fraction(max(Decimal(0), payment.amount - gone)) / Fraction(payment.amount)
