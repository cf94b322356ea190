"""The calendar that the simulation saw: every period of every subscription, as it was at some moment of each day.

Nothing here asks the application what a month is.
"""

import itertools
from calendar import monthrange
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from igny8_core.auth.models import BillingDriver, Subscription
from igny8_core.business.billing.models import InvoiceLine, InvoiceStatus, LineKind, Renewal, RenewalStatus

CYCLES = {"monthly": 1, "annual": 12}


@dataclass(frozen=True)
class Period:
    """What was seen: when it began and ends, and how long the plan's periods are."""

    start: datetime
    end: datetime
    cycle: str


@dataclass
class Observed:
    """The periods of each subscription in the order in which they were seen."""

    periods: dict[int, list[Period]] = field(default_factory=lambda: defaultdict(list))

    def look(self) -> None:
        """Note the periods that are new."""
        columns = ("pk", "current_period_start", "current_period_end", "terms_billing_cycle")
        running = Subscription.objects.filter(billing_driver=BillingDriver.LOCAL, current_period_start__isnull=False)
        for pk, start, end, cycle in running.values_list(*columns):
            seen, now = self.periods[pk], Period(start, end, cycle)
            if not seen or (seen[-1].start, seen[-1].end) != (start, end):
                seen += [*_passed(pk, seen[-1].end, start)] if seen else []
                seen.append(now)
            elif seen[-1] != now:
                # A change of plan in the middle of a period: the length of the next one may be another.
                seen[-1] = now

    @property
    def count(self) -> int:
        """How many periods were seen."""
        return sum(map(len, self.periods.values()))


def _passed(subscription: int, after: datetime, before: datetime) -> list[Period]:
    """Periods that lie between two looks: one is paid when it is nearly over, and a card is charged for the next."""
    begun = Renewal.objects.filter(subscription=subscription, status=RenewalStatus.BEGUN, period_start__gte=after)
    passed = begun.filter(period_end__lte=before, invoice__lines__kind=LineKind.PLAN).order_by("period_start")
    return [Period(*row) for row in passed.values_list("period_start", "period_end", "invoice__lines__billing_cycle")]


def gaps_and_overlaps(observed: Observed) -> list[str]:
    """Where a period does not begin when the one before ended, unless a change of plan began a new one within it."""
    restarts = _restarts()
    wrong = []
    for pk, periods in observed.periods.items():
        for before, after in itertools.pairwise(periods):
            restarted = before.start < after.start < before.end and after.start in restarts[pk]
            if after.start != before.end and not restarted:
                wrong.append(f"subscription {pk}: {before.start} to {before.end}, then {after.start} to {after.end}")
    return wrong


def wrong_ends(observed: Observed) -> list[str]:
    """Periods that do not end so many months after their subscription's first day as a calendar says."""
    wrong = []
    for pk, periods in observed.periods.items():
        anchor, months = periods[0].start, 0
        for place, period in enumerate(periods):
            if place and period.start != periods[place - 1].end:
                anchor, months = period.start, 0
            fitting = [length for length in CYCLES.values() if period.end == months_after(anchor, months + length)]
            if not fitting:
                wrong.append(f"subscription {pk} since {anchor}: {period.start} to {period.end}")
                anchor, months = period.end, 0
            else:
                months += fitting[0]
    return wrong


def not_invoiced_once(observed: Observed) -> list[str]:
    """Periods for which there is not exactly one invoice, and it is paid."""
    paid: Counter[tuple[int, datetime | None]] = Counter()
    living: Counter[tuple[int, datetime | None]] = Counter()
    lines = InvoiceLine.objects.filter(kind=LineKind.PLAN, invoice__subscription__isnull=False)
    for pk, start, status in lines.exclude(invoice__status=InvoiceStatus.VOID).values_list(
        "invoice__subscription_id", "period_start", "invoice__status"
    ):
        living[pk, start] += 1
        paid[pk, start] += status == InvoiceStatus.PAID
    wrong = [f"subscription {pk}: {count} invoices for {start}" for (pk, start), count in living.items() if count > 1]
    restarts = _restarts()
    for pk, periods in observed.periods.items():
        for place, period in enumerate(periods):
            # The first period begins when its invoice is paid, so the invoice does not say when.
            times = paid[pk, period.start if place else None] + (place and period.start in restarts[pk])
            if times != 1:
                wrong.append(f"subscription {pk}: {times} paid invoices for the period from {period.start}")
    return wrong


def months_after(anchor: datetime, months: int) -> datetime:
    """The same day and time so many months later; a month's last day where that month is shorter."""
    year, month = anchor.year + (anchor.month - 1 + months) // 12, (anchor.month - 1 + months) % 12 + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, monthrange(year, month)[1]))


def _restarts() -> dict[int, set[datetime]]:
    """When changes to a plan of another cycle began new periods."""
    lines = InvoiceLine.objects.filter(restarts_period=True, invoice__status=InvoiceStatus.PAID)
    found: dict[int, set[datetime]] = defaultdict(set)
    for pk, moment in lines.values_list("invoice__subscription_id", "invoice__paid_at"):
        if moment:
            found[pk].add(moment)
    return found
