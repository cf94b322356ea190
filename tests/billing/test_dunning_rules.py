"""The rules of dunning, without a database: the clock, business days, and what follows in which order."""

import io
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from igny8_core.business.billing.models import StageKind
from igny8_core.business.billing.services.dunning.calendar import Calendar, country_days, zone_of
from igny8_core.business.billing.services.dunning.rules import (
    Case,
    Pause,
    Subject,
    Taken,
    clock_day,
    is_past_due,
    next_step,
    pause_on,
)
from igny8_core.settings import dunning
from igny8_core.settings.dunning import DunningSettings
from tests.test_rules import page

RULES, EVERY_DAY = DunningSettings(), Calendar()
MONDAY = date(2027, 2, 1)  # due on a Monday without a holiday near
RENEWAL = Case(Subject.RENEWAL, "DE", MONDAY - timedelta(days=8), MONDAY)
DAY = timedelta(days=1)


def at(day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def history(case: Case, days: int, *, from_day: int = -10, calendar: Calendar = EVERY_DAY) -> list[tuple[int, int]]:
    """What is taken day by day: how many days after the due date, and which stage."""
    found, taken = [], dict(case.taken)
    for number in range(from_day, days + 1):
        today = case.due_on + DAY * number
        step = next_step(replace(case, taken=taken), at(today), RULES, calendar)
        if step:
            taken |= {each.day: Taken(today, is_skipped=True) for each in step.skipped}
            taken[step.stage.day] = Taken(today)
            found.append((number, step.stage.day))
    return found


def test_a_renewal_goes_through_all_stages_on_business_days() -> None:
    assert history(RENEWAL, 40) == [
        (-7, -7), (-3, -3), (0, 0), (1, 1), (3, 3), (7, 7), (14, 14), (30, 30),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "stages"),
    [(Subject.ORDER, [-7, -3, 0, 1, 3, 7, 30]), (Subject.OTHER, [-7, -3, 0, 1, 3, 7])],
)
def test_only_a_running_subscription_is_suspended_and_other_debts_end_nothing(
    subject: Subject, stages: list[int]
) -> None:
    assert [stage for _, stage in history(replace(RENEWAL, subject=subject), 60)] == stages


def test_the_invoice_s_own_mail_is_the_reminder_of_its_day() -> None:
    case = replace(RENEWAL, invoice_on=MONDAY - 7 * DAY)

    assert history(case, 0) == [(-3, -3), (0, 0)]
    assert history(replace(case, invoice_on=MONDAY), 1) == [(1, 1)]


def test_a_reminder_moves_before_a_holiday_and_a_notice_after_it() -> None:
    good_friday = date(2027, 3, 26)
    case = Case(Subject.OTHER, "DE", date(2027, 3, 1), good_friday + 3 * DAY)  # due on Easter Monday

    # -3 is Good Friday, so Thursday; 0 and +1 are Monday, a holiday, and Tuesday: one mail on Tuesday.
    assert history(case, 2)[1:] == [(-4, -3), (1, 1)]
    assert history(replace(case, country=""), 1)[1:] == [(-3, -3), (0, 0), (1, 1)]


def test_nothing_happens_at_night_on_weekends_and_on_days_that_operators_closed() -> None:
    due = replace(RENEWAL, taken={-7: Taken(MONDAY - 7 * DAY), -3: Taken(MONDAY - 3 * DAY)})
    closed = Calendar({("*", MONDAY): False})
    worked = Calendar({("DE", MONDAY - 2 * DAY): True})

    for hour in (0, 8, 18, 23):
        assert next_step(due, at(MONDAY, hour), RULES, EVERY_DAY) is None
    for hour in (9, 17):
        assert next_step(due, at(MONDAY, hour), RULES, EVERY_DAY) is not None
    assert next_step(due, at(MONDAY), RULES, closed) is None
    assert worked.is_business_day("DE", MONDAY - 2 * DAY)
    assert not EVERY_DAY.is_business_day("DE", MONDAY - 2 * DAY)


def test_past_due_waits_for_no_business_day_but_for_us() -> None:
    saturday = MONDAY + 5 * DAY
    late = replace(RENEWAL, due_on=saturday - DAY)

    assert not is_past_due(late, saturday - DAY)
    assert is_past_due(late, saturday)
    assert not is_past_due(replace(late, pauses=[Pause(saturday)]), saturday)
    assert not is_past_due(replace(late, subject=Subject.ORDER), saturday)


def test_a_stopped_schedule_sends_one_mail_and_suspends_nobody_on_the_day_it_starts_again() -> None:
    assert history(RENEWAL, 80, from_day=39) == [(39, 7), (43, 14), (51, 30)]


def test_nobody_is_suspended_whom_no_mail_has_reached() -> None:
    lost = {day: Taken(MONDAY + day * DAY, is_delivered=False) for day in (1, 3, 7)}
    case = replace(RENEWAL, taken=lost)
    then = MONDAY + 14 * DAY

    assert next_step(case, at(then), RULES, EVERY_DAY) is None
    told = replace(case, taken=lost | {3: Taken(MONDAY + 3 * DAY)})
    step = next_step(told, at(then), RULES, EVERY_DAY)
    assert step
    assert step.stage.kind == StageKind.SUSPENSION


def test_a_mail_that_was_given_up_does_not_use_up_its_stage() -> None:
    lost = Taken(MONDAY + DAY, is_delivered=False, is_lost=True)
    case = replace(RENEWAL, taken={1: lost})

    step = next_step(case, at(MONDAY + 2 * DAY), RULES, EVERY_DAY)

    assert step
    assert step.stage.day == 1
    waiting = replace(case, taken={1: replace(lost, is_lost=False)})
    assert next_step(waiting, at(MONDAY + 2 * DAY), RULES, EVERY_DAY) is None


def test_the_clock_stands_still_and_goes_on_where_it_stood() -> None:
    pause = Pause(MONDAY + 2 * DAY, MONDAY + 20 * DAY)

    days = [clock_day(MONDAY, MONDAY + number * DAY, [pause]) for number in (-3, 0, 1, 2, 20, 21, 34)]

    assert days == [-3, 0, 1, 1, 1, 2, 15]
    assert history(replace(RENEWAL, pauses=[pause]), 60)[3:] == [(1, 1), (22, 3), (28, 7), (35, 14), (49, 30)]


def random_pauses(chance: random.Random) -> list[Pause]:
    pauses = []
    for _ in range(chance.randrange(4)):
        start = MONDAY + chance.randrange(-10, 60) * DAY
        end = None if chance.random() < 0.2 else start + chance.randrange(0, 25) * DAY
        pauses.append(Pause(start, end))
    return pauses


@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_histories_remind_nobody_while_a_confirmation_waits(seed: int) -> None:
    """Ten times a hundred: countries, subjects, pauses, stops of the schedule and lost mails at random."""
    chance = random.Random(seed)
    for _ in range(100):
        country = chance.choice(["DE", "PK", "US", "SA", "IR", ""])
        case = Case(chance.choice(list(Subject)), country, MONDAY - 8 * DAY, MONDAY, random_pauses(chance))
        taken: dict[int, Taken] = {}
        stopped, sent, last_day = 0, 0, -999
        for number in range(-8, 80):
            stopped = chance.randrange(15) if chance.random() < 0.02 else stopped - 1
            today, hour = MONDAY + number * DAY, chance.randrange(24)
            day = clock_day(MONDAY, today, case.pauses)
            assert day >= last_day
            last_day = day
            step = None if stopped > 0 else next_step(replace(case, taken=taken), at(today, hour), RULES, EVERY_DAY)
            if step is None:
                continue
            assert pause_on(today, case.pauses) is None
            assert EVERY_DAY.is_business_day(country, today)
            assert 9 <= hour < 18
            before = taken.get(step.stage.day)
            assert before is None or before.is_lost, "each stage once"
            assert step.stage.day <= day or step.stage.kind == StageKind.REMINDER
            newest = max((each for each, found in taken.items() if not found.is_skipped), default=-99)
            assert step.stage.day >= newest, "never back to an earlier stage"
            taken |= {each.day: Taken(today, is_skipped=True) for each in step.skipped}
            fate = chance.random()
            taken[step.stage.day] = Taken(today, is_delivered=fate < 0.8, is_lost=fate > 0.9)
            sent += 1
            if step.stage.kind == StageKind.SUSPENSION:
                assert any(found.is_delivered and not found.is_skipped and key > 0 for key, found in taken.items())
        assert sent <= 20


@pytest.mark.parametrize(
    ("named", "country", "zone"),
    [
        ("UTC", "PK", "Asia/Karachi"),
        ("UTC", "US", "UTC"),
        ("UTC", "", "UTC"),
        ("America/Denver", "PK", "America/Denver"),
    ],
)
def test_the_hours_are_those_of_the_customer(named: str, country: str, zone: str) -> None:
    assert zone_of(named, country).key == zone


def test_each_country_has_its_own_weekend_and_an_unknown_one_the_usual() -> None:
    assert country_days("SA", 2027)[1] == {4, 5}
    assert country_days("", 2027) == country_days("AX" * 3, 2027) == (frozenset(), frozenset({5, 6}))


def test_the_page_shows_what_the_defaults_mean_for_a_sample_invoice(db: None) -> None:
    with io.StringIO() as printed:
        call_command("preview_dunning", "--due", "2027-03-29", "--country", "de", stdout=printed)
        text = printed.getvalue()

    shown = page("dunning.md").split("<!-- preview -->\n")[1]
    assert shown == text, "Run: manage.py preview_dunning --due 2027-03-29 --country DE"


def test_the_page_names_every_setting_with_its_default() -> None:
    defaults = DunningSettings()

    for name, value in [
        ("DUNNING_REMINDER_DAYS", ",".join(map(str, defaults.reminders))),
        ("DUNNING_OVERDUE_DAYS", ",".join(map(str, defaults.overdue))),
        ("DUNNING_SUSPEND_AFTER_DAYS", defaults.suspend_after),
        ("DUNNING_CANCEL_AFTER_DAYS", defaults.cancel_after),
        ("DUNNING_GRACE_DAYS", defaults.grace_days),
        ("DUNNING_HOURS", f"{defaults.opens}-{defaults.closes}"),
    ]:
        assert f"| `{name}` | `{value}` |" in page("dunning.md")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUNNING_REMINDER_DAYS", "-7,1"),
        ("DUNNING_REMINDER_DAYS", "a week"),
        ("DUNNING_REMINDER_DAYS", "-3,-7"),
        ("DUNNING_OVERDUE_DAYS", "0,3"),
        ("DUNNING_OVERDUE_DAYS", "3,1"),
        ("DUNNING_SUSPEND_AFTER_DAYS", "7"),
        ("DUNNING_SUSPEND_AFTER_DAYS", "0"),
        ("DUNNING_CANCEL_AFTER_DAYS", "14"),
        ("DUNNING_HOURS", "18-9"),
        ("DUNNING_HOURS", "9"),
        ("DUNNING_HOURS", "9-25"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start_and_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=name):
        dunning.read()


def test_other_days_are_taken() -> None:
    rules = DunningSettings(reminders=(), overdue=(2,), suspend_after=5, cancel_after=10)
    taken: dict[int, Taken] = {}
    for number in range(12):
        step = next_step(replace(RENEWAL, taken=taken), at(MONDAY + number * DAY), rules, EVERY_DAY)
        if step:
            taken[step.stage.day] = Taken(MONDAY + number * DAY)

    # Day 5 is a Saturday, so the suspension is on Monday, and the end three days later at the earliest.
    assert {day: (found.on - MONDAY).days for day, found in taken.items()} == {2: 2, 5: 7, 10: 10}
