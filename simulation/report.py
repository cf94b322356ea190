"""What is printed: a bar while the days pass, then tables of what happened, the money by month, and the proofs."""

import shutil
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TextIO

from django.db.models import Count, Model, Sum
from django.db.models.functions import TruncMonth

from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    CreditNote,
    Dispute,
    DunningStep,
    Invoice,
    Payment,
    Refund,
    Renewal,
)
from igny8_core.common.money import format_amount
from igny8_core.events.models import Event
from simulation.charges import how_renewals_were_paid, is_late
from simulation.proofs import Proof
from simulation.run import Outcome

FULL, EMPTY = "█", "░"
EXAMPLES = 5
STATES: tuple[tuple[str, type[Model]], ...] = (
    ("accounts", Account),
    ("subscriptions", Subscription),
    ("invoices", Invoice),
    ("renewals", Renewal),
    ("payments", Payment),
    ("refunds", Refund),
    ("disputes", Dispute),
)
COUNTED_EVENTS = (
    *("renewal.charge_failed", "renewal.withdrawn", "subscription.renewed", "subscription.plan_changed"),
    *("subscription.past_due", "account.suspended", "account.canceled", "account.trial_ended", "credits.expired"),
)


class Bar:
    """A bar of progress, on a terminal only: elsewhere nothing is shown until the end."""

    def __init__(self, out: TextIO, days: int) -> None:
        self._out = out
        self._days = days
        self._begun = time.monotonic()
        self._is_shown = bool(getattr(out, "isatty", lambda: False)())

    def show(self, day: int) -> None:
        """So many days have passed."""
        if not self._is_shown:
            return
        spent = time.monotonic() - self._begun
        left = spent / day * (self._days - day)
        said = f" day {day} of {self._days}, {_clock(left)} left "
        width = max(10, min(40, shutil.get_terminal_size().columns - len(said) - 2))
        done = width * day // self._days
        self._out.write(f"\r{FULL * done}{EMPTY * (width - done)}{said}")
        if day == self._days:
            self._out.write("\r" + " " * (width + len(said)) + "\r")
        self._out.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


class Spent(NamedTuple):
    """Seconds by the clock on the wall, and those in which this process and its forks computed."""

    passed: float
    computed: float


def lines(outcome: Outcome, proofs: Sequence[Proof], spent: Spent) -> Iterator[str]:
    """The whole report."""
    plot = outcome.plot
    how = f", {plot.schedulers} schedulers" if plot.schedulers > 1 else ""
    yield (
        f"{plot.accounts} accounts, {plot.days} days from {plot.first}, seed {plot.seed}{how}"
        f"{', some of them killed' if plot.kills else ''}: {_clock(spent.passed)} minutes, {_clock(spent.computed)} of "
        "them computing"
    )
    yield ""
    yield "WHAT HAPPENED"
    yield from _table(_happened(outcome))
    yield ""
    yield "MONEY BY MONTH"
    yield from _table(_money(), ("month", "currency", "invoiced", "voided", "paid", "given back"))
    yield ""
    yield "PROOF"
    for proof in proofs:
        yield f"  {'holds ' if proof.holds else 'BROKEN'} {proof.name}"
        yield from (f"         {said[:300]}" for said in proof.against[:EXAMPLES])
        if len(proof.against) > EXAMPLES:
            yield f"         and {len(proof.against) - EXAMPLES} more"


def _happened(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    people = Counter(
        f"{person.habit.value}, by {'card' if person.pays_by_card else 'bank'}" for person in outcome.people
    )
    yield "customers who pay", _listed(people)
    for name, model in STATES:
        rows = model._default_manager.order_by().values_list("status").annotate(Count("pk"))
        yield name, _listed(Counter(dict(rows)))
    yield "paid invoices", _listed(_punctuality())
    yield "renewals by card", _listed(how_renewals_were_paid())
    yield "customers and operators", _listed(outcome.purse.done)
    yield "what was refused", _listed(outcome.purse.refused)
    steps = DunningStep.objects.filter(is_skipped=False).order_by().values_list("kind").annotate(Count("pk"))
    yield "dunning", _listed(Counter(dict(steps)))
    told = Event.objects.filter(type__in=COUNTED_EVENTS).order_by().values_list("type").annotate(Count("pk"))
    yield "events", _listed(Counter(dict(told)))
    yield f"{outcome.mails.total()} mails", _listed(outcome.mails)
    if outcome.workers.counted:
        yield "forked schedulers", _listed(outcome.workers.counted)
        yield "mails sent again", str(outcome.mails_again)
    waiting = Payment.objects.filter(needs_review=True).count()
    if waiting:
        yield "payments that wait for an operator", str(waiting)


def _punctuality() -> Counter[str]:
    """How many invoices were paid by their due date, and how many after it."""
    found: Counter[str] = Counter()
    for invoice in Invoice.objects.filter(status="paid").select_related("account"):
        found["late" if is_late(invoice) else "in time"] += 1
    return found


def _money() -> list[tuple[str, ...]]:
    sums: dict[tuple[Any, str], list[Any]] = {}
    taken = Payment.objects.filter(status__in=CAPTURED_STATUSES)
    columns = (
        (Invoice.objects.all(), "created_at", "total"),
        (Invoice.objects.filter(status="void"), "created_at", "total"),
        (taken, "processed_at", "amount"),
        (CreditNote.objects.all(), "created_at", "amount"),
    )
    for place, (rows, moment, amount) in enumerate(columns):
        by_month = rows.order_by().annotate(month=TruncMonth(moment)).values_list("month", "currency")
        for month, currency, total in by_month.annotate(Sum(amount)):
            sums.setdefault((month, currency), [0, 0, 0, 0])[place] = total
    return [
        (f"{month:%Y-%m}", currency, *(format_amount(amount, currency) if amount else "-" for amount in row))
        for (month, currency), row in sorted(sums.items())
    ]


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.most_common()) or "-"


def _table(rows: Any, head: tuple[str, ...] = ()) -> Iterator[str]:
    """Columns of equal width; the last one of a table without a head is wrapped."""
    rows = [*([head] if head else []), *rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        if head:
            texts = [
                text.ljust(width) if place < 2 else text.rjust(width)
                for place, (text, width) in enumerate(zip(row, widths, strict=True))
            ]
            yield "  " + "  ".join(texts).rstrip()
        else:
            yield from _wrapped(row, widths[0])


def _wrapped(row: tuple[str, ...], width: int) -> Iterator[str]:
    room = max(30, min(140, shutil.get_terminal_size((140, 24)).columns) - width - 4)
    parts = textwrap.wrap(row[1], room) or ["-"]
    yield f"  {row[0].ljust(width)}  {parts[0]}"
    for part in parts[1:]:
        yield f"  {' ' * width}  {part}"
