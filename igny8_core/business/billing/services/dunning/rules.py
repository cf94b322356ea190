"""The rules of dunning, without a database: how far the clock of an invoice is, and which step comes next.

The clock counts days after the due date. It stands still on days on which the invoice waits for us and not for the
customer. What is due is taken on business days and in the hours of the customer's day.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from igny8_core.business.billing.models import StageKind
from igny8_core.business.billing.services.dunning.calendar import Calendar
from igny8_core.settings.dunning import DunningSettings

DAY = timedelta(days=1)


class Subject(StrEnum):
    """What an unpaid invoice is for, which decides what follows."""

    RENEWAL = "renewal"  # a period of a subscription that runs: it falls past due, is suspended, and ends
    ORDER = "order"  # the first period, nothing was delivered yet: the order is withdrawn
    OTHER = "other"  # credits, work by hand: mails only


@dataclass(frozen=True)
class Pause:
    """Days on which the clock stands still, the first and the last one included; `end` None: it still does."""

    start: date
    end: date | None = None
    why: str = ""


@dataclass(frozen=True)
class Taken:
    """A step that was taken: when, whether it was only skipped, and what became of its mail."""

    on: date
    is_skipped: bool = False
    is_delivered: bool = True
    is_lost: bool = False


@dataclass(frozen=True)
class Case:
    """An unpaid invoice as the rules see it. All days are the customer's."""

    subject: Subject
    country: str
    invoice_on: date
    due_on: date
    pauses: Collection[Pause] = ()
    taken: Mapping[int, Taken] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """A stage of dunning: so many days after the due date."""

    day: int
    kind: StageKind


@dataclass(frozen=True)
class Step:
    """What is to be done now, and the stages that are over and are skipped."""

    stage: Stage
    skipped: tuple[Stage, ...] = ()


def stages_of(case: Case, settings: DunningSettings, calendar: Calendar) -> list[Stage]:
    """The stages that an invoice can reach, in order.

    A reminder whose day is not after the invoice's own is none: the invoice's mail says it.
    """
    reminders = [Stage(day, StageKind.REMINDER) for day in settings.reminders]
    stages = [stage for stage in reminders if reminder_day(case, stage, calendar) > case.invoice_on]
    stages += [Stage(day, StageKind.OVERDUE) for day in settings.overdue]
    if case.subject == Subject.RENEWAL:
        stages.append(Stage(settings.suspend_after, StageKind.SUSPENSION))
    if case.subject != Subject.OTHER:
        stages.append(Stage(settings.cancel_after, StageKind.CANCELLATION))
    return stages


def clock_day(due_on: date, today: date, pauses: Collection[Pause]) -> int:
    """How many days after the due date the clock is; negative before it. Days of a pause do not count."""
    if today <= due_on:
        return (today - due_on).days
    held: set[int] = set()
    for pause in pauses:
        start, end = max(pause.start, due_on + DAY), min(pause.end or today, today)
        held.update(range(start.toordinal(), end.toordinal() + 1))
    return (today - due_on).days - len(held)


def pause_on(day: date, pauses: Collection[Pause]) -> Pause | None:
    """The pause that holds the clock on a day, or None."""
    held = (pause for pause in pauses if pause.start <= day and (pause.end is None or day <= pause.end))
    return next(held, None)


def is_past_due(case: Case, today: date) -> bool:
    """Whether the subscription is past due: from the day after the due date, at any hour and on any day."""
    late = case.subject == Subject.RENEWAL and clock_day(case.due_on, today, case.pauses) >= 1
    return late and pause_on(today, case.pauses) is None


def next_step(case: Case, now: datetime, settings: DunningSettings, calendar: Calendar) -> Step | None:
    """The step to take now, or None. `now` is the customer's local time."""
    today = now.date()
    if not (settings.opens <= now.hour < settings.closes and calendar.is_business_day(case.country, today)):
        return None
    if pause_on(today, case.pauses):
        return None
    stages, day = stages_of(case, settings, calendar), clock_day(case.due_on, today, case.pauses)
    due = [stage for stage in stages if _is_due(stage, day, case, today, calendar)]
    decision = _next_decision(case, stages, due, today)
    if decision:
        return Step(decision)
    mails = [stage for stage in due if stage.kind in MAILED]
    was_decided = any(stage.day in case.taken for stage in stages if stage.kind not in MAILED)
    if not mails or was_decided:
        return None
    newest = mails[-1]
    before = case.taken.get(newest.day)
    if before and not (before.is_lost or before.is_skipped):
        return None
    return Step(newest, tuple(stage for stage in mails[:-1] if stage.day not in case.taken))


def reminder_day(case: Case, stage: Stage, calendar: Calendar) -> date:
    """When a reminder goes out: before a weekend or holiday, not after it."""
    return calendar.business_day_before(case.country, case.due_on + DAY * stage.day)


def is_told(case: Case, stages: Collection[Stage]) -> bool:
    """Whether a mail has reached the customer that says that the invoice is overdue."""
    notices = {stage.day for stage in stages if stage.kind == StageKind.OVERDUE}
    return any(day in notices and taken.is_delivered and not taken.is_skipped for day, taken in case.taken.items())


MAILED = frozenset({StageKind.REMINDER, StageKind.OVERDUE})


def _is_due(stage: Stage, day: int, case: Case, today: date, calendar: Calendar) -> bool:
    if stage.kind == StageKind.REMINDER and stage.day < 0:
        return today >= reminder_day(case, stage, calendar)
    return day >= stage.day


def _next_decision(case: Case, stages: list[Stage], due: list[Stage], today: date) -> Stage | None:
    """The suspension or cancellation to carry out now."""
    for stage in due:
        if stage.kind not in MAILED and stage.day not in case.taken:
            return stage if _is_announced(case, stages, stage, today) else None
    return None


def _is_announced(case: Case, stages: list[Stage], stage: Stage, today: date) -> bool:
    """Whether the step before was taken, and long enough ago: half the time that the settings have between the two.

    So nobody is suspended on the day on which a stopped schedule starts again, and nobody who was not told. An order
    that was never paid may end untold: nothing was delivered, and its address may never have existed.
    """
    before = stages[stages.index(stage) - 1]
    taken = case.taken.get(before.day)
    if taken is None or taken.is_skipped or (case.subject == Subject.RENEWAL and not is_told(case, stages)):
        return False
    return today >= taken.on + DAY * -(-(stage.day - before.day) // 2)
