"""What dunning has done and will do next, of an account for operators, and of a sample invoice to show the settings."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import DunningPause, DunningStep, StageKind
from igny8_core.business.billing.services.dunning.calendar import Calendar, current_calendar, local_time
from igny8_core.business.billing.services.dunning.cases import dunned_invoices, read_cases
from igny8_core.business.billing.services.dunning.rules import (
    Case,
    Stage,
    Subject,
    Taken,
    clock_day,
    next_step,
    pause_on,
)
from igny8_core.common import clock

# Beyond these days nothing is foretold, and no more invoices than these are listed.
FARTHEST = 400
SHOWN = 100


@dataclass(frozen=True)
class Expected:
    """A stage, and the first day on which it can be taken."""

    on: date
    stage: Stage


@dataclass(frozen=True)
class InvoiceOutlook:
    """An unpaid invoice: where its clock stands, what holds it, what was done, and what comes next."""

    id: int
    invoice_number: str
    subject: Subject
    currency: str
    amount_due: Decimal
    due_date: date
    clock_day: int
    held_because: str
    steps: list[DunningStep]
    next: Expected | None


@dataclass(frozen=True)
class AccountOutlook:
    """Dunning of an account, with the exemption that is in force."""

    account: Account
    exempt_until: date | None
    exempt_reason: str
    invoices: list[InvoiceOutlook]

    @property
    def sample(self) -> list[Expected]:
        """What the settings mean for the account: the stages of a renewal that is invoiced today and never paid."""
        today = local_time(self.account, clock.now()).date()
        due = today + timedelta(days=settings.RENEWAL_INVOICE_DAYS)
        return sample(today, due, self.account.billing_country, Subject.RENEWAL, current_calendar())


def dunning_of(account: Account) -> AccountOutlook:
    """What is open between us and an account, at most 100 invoices, the one that is due first in front."""
    today = local_time(account, clock.now()).date()
    exemption = DunningPause.objects.filter(account=account, invoice=None, ended_at=None, until__gte=today).first()
    open_ones = dunned_invoices().filter(account=account).order_by("due_date", "pk")[:SHOWN]
    calendar, invoices = current_calendar(), []
    cases = read_cases(list(open_ones), {account.pk: account})
    for each in cases:
        invoice, case = each.invoice, each.case
        held = pause_on(today, case.pauses)
        invoices.append(
            InvoiceOutlook(
                id=invoice.pk,
                invoice_number=invoice.invoice_number,
                subject=case.subject,
                currency=invoice.currency,
                amount_due=invoice.total - invoice.settled_amount,
                due_date=invoice.due_date,
                clock_day=clock_day(case.due_on, today, case.pauses),
                held_because=held.why if held else "",
                steps=list(invoice.dunning_steps.order_by("stage")),
                next=next_of(case, today, calendar),
            )
        )
    until, reason = (exemption.until, exemption.reason) if exemption else (None, "")
    return AccountOutlook(account, until, reason, invoices)


def next_of(case: Case, today: date, calendar: Calendar) -> Expected | None:
    """The next stage of an invoice, if nothing changes and all mails arrive; None while it waits for us."""
    arrived = {day: replace(taken, is_delivered=not taken.is_lost) for day, taken in case.taken.items()}
    supposed = replace(case, taken=arrived)
    for number in range(FARTHEST):
        day = today + timedelta(days=number)
        held = pause_on(day, case.pauses)
        if held and held.end is None:
            return None
        step = next_step(supposed, datetime.combine(day, time(settings.DUNNING.opens)), settings.DUNNING, calendar)
        if step:
            return Expected(day, step.stage)
    return None


def sample(invoice_on: date, due_on: date, country: str, subject: Subject, calendar: Calendar) -> list[Expected]:
    """All stages of an invoice that nobody pays, with their days: what the settings mean."""
    case, found = Case(subject, country, invoice_on, due_on), []
    taken: dict[int, Taken] = {}
    for number in range((due_on - invoice_on).days + FARTHEST):
        day = invoice_on + timedelta(days=number)
        at = datetime.combine(day, time(settings.DUNNING.opens), UTC)
        step = next_step(replace(case, taken=taken), at, settings.DUNNING, calendar)
        if step:
            taken |= {each.day: Taken(day, is_skipped=True) for each in step.skipped}
            taken[step.stage.day] = Taken(day)
            found.append(Expected(day, step.stage))
    return found


WORDS = {
    StageKind.REMINDER: "reminder",
    StageKind.OVERDUE: "overdue notice",
    StageKind.SUSPENSION: "the account is suspended",
    StageKind.CANCELLATION: "the subscription ends, or the order is withdrawn",
}
