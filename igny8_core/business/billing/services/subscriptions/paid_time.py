"""What is paid of the running period of a subscription and still here: what a change of plan gives back.

The rule (domain.md section 4, Change of plan):

- What counts is money, not the price of the plan: of each paid invoice the part that paid for a plan, as far as it was
  not refunded, is not on its way back, was not lost in a dispute and is in the currency of the terms in force. An open
  dispute counts as gone until it is won.
- Each invoice paid for the time from when it was priced (a first one: from when it was paid) to the period's end. Of
  that time the share that is left, to the second, is unused.
- A change that began a period anew carried what was unused of the one before into it; what went back of that money
  since is not in it any more.
- All shares are added up exactly and rounded once. The sum is never more than the plan in force costs for the time
  that is left (pricing.unused_time).
- Credits follow the same shares: had is what was granted, less what refunds took back.
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
    """One period as it was paid: its first part covers all of it, changes within it what was left then."""

    begin: datetime
    end: datetime
    parts: list[PaidPart] = field(default_factory=list)

    def add(self, amount: Fraction, granted: int, begin: datetime) -> None:
        # What was paid after its end covers nothing.
        if begin < self.end:
            self.parts.append(PaidPart(amount, granted, begin, self.end))

    def unused_at(self, moment: datetime) -> Fraction:
        return sum((part.amount * part.share_left(moment) for part in self.parts), Fraction(0))


def paid_parts(subscription: Subscription, without: Invoice | None = None) -> list[PaidPart]:
    """What is paid of a subscription's running period and still here, as the rule above says.

    `without`: an invoice that is left out, because it is the one that is being priced. The caller holds the account's
    lock where the answer decides something.
    """
    start, end = subscription.current_period_start, subscription.current_period_end
    if start is None or end is None:
        return []
    epoch: _Epoch | None = None
    for _, group in groupby(money_of_plans(subscription), key=lambda allocation: allocation.invoice_id):
        # With what the query annotates.
        allocations: list[Any] = list(group)
        invoice = allocations[0].invoice
        line = plan_line_of(invoice)
        if line and (without is None or invoice.pk != without.pk):
            money = sum((_still_here(row, subscription.terms_currency) for row in allocations), Fraction(0))
            taken_back = sum(row.credits_taken or 0 for row in allocations)
            epoch = _with(epoch, invoice, line, money, taken_back)
    # Before the running period nothing counts; its own end is the subscription's.
    if epoch is None or not start <= epoch.begin < end:
        return []
    return [
        PaidPart(part.amount, part.credits, start if part.begin == epoch.begin else part.begin, end)
        for part in epoch.parts
        if part.begin < end
    ]


def _with(epoch: _Epoch | None, invoice: Invoice, line: InvoiceLine, money: Fraction, taken_back: int) -> _Epoch | None:
    """The period that was paid last, after one more invoice of which `money` is still here."""
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
    """The part of an allocation whose money did not go back, in the currency of the terms; see money_of_plans."""
    payment = allocation.payment
    if payment.currency != currency or allocation.is_unclear:
        return Fraction(0)
    # A lost dispute is refunded, at some gateways a little later: both together are the same money.
    gone = max(payment.refunded_amount, allocation.lost or 0) + (allocation.disputed or 0) + (allocation.returning or 0)
    return Fraction(allocation.amount) * Fraction(max(Decimal(0), payment.amount - gone)) / Fraction(payment.amount)
