"""A small population over some weeks: every promise holds, the scripts did what they say, and a broken rule is seen."""

import itertools
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.invariants import INVARIANTS
from igny8_core.business.billing.models import CAPTURED_STATUSES, DunningStep, Invoice, Payment, Renewal
from igny8_core.business.billing.services.collection.attempts import RENEWAL_KEY
from igny8_core.business.billing.services.dunning.calendar import country_days
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.celery import app
from igny8_core.common import clock
from igny8_core.events.models import Delivery, Event
from simulation import mails, schedule
from simulation.charges import (
    how_renewals_were_paid,
    is_late,
    leaves_it_to_the_card,
    not_charged,
    past_due_without_reason,
)
from simulation.money import Purse, _day_to_pay
from simulation.people import PLACES, Habit, population
from simulation.periods import Observed, Period, gaps_and_overlaps, months_after, wrong_ends
from simulation.proofs import proofs
from simulation.report import Spent, lines
from simulation.run import Outcome, Plot, simulate
from tests.billing.renewing import END, NEXT_END, START, WEEK_BEFORE, at, pay_at, renewal_of, running, work_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Callable[..., Outcome]:
    """What runs a simulation in the database of the test."""

    def running(**plot: Any) -> Outcome:
        call_command("seed_defaults", verbosity=0)
        return simulate(Plot(**plot))

    return running


def broken(outcome: Outcome) -> dict[str, list[str]]:
    """The promises that were not kept, with what contradicts them."""
    return {proof.name: proof.against for proof in proofs(outcome) if not proof.holds}


@pytest.mark.stress
def test_weeks_of_a_small_population_end_with_every_promise_kept(run: Callable[..., Outcome]) -> None:
    days: list[int] = []
    call_command("seed_defaults", verbosity=0)

    outcome = simulate(Plot(accounts=10, days=55, seed=4), days.append)

    assert broken(outcome) == {}
    assert days == list(range(1, 56))
    # It has been somewhere: periods were renewed, some not paid, and mails went out.
    assert Renewal.objects.filter(status="begun").count() >= 4
    assert DunningStep.objects.filter(kind="overdue").exists()
    assert outcome.observed.count > 10
    assert outcome.mails["invoice.created"] == Invoice.objects.count()
    assert outcome.purse.done["approved payments"] > 2
    # Who leaves it to a card that works was charged by itself, each time; who has paid late has chosen so.
    left = {person.owner.pk for person in outcome.people if person.owner and leaves_it_to_the_card(person)}
    begun = Renewal.objects.filter(status="begun", account__owner__in=left)
    charged = Payment.objects.filter(request_key__startswith=RENEWAL_KEY, status__in=CAPTURED_STATUSES)
    assert 0 < begun.count() == charged.filter(account__owner__in=left).count()
    assert how_renewals_were_paid()["charged by themselves"] == charged.count()
    of_card = {person.owner.pk: person.habit for person in outcome.people if person.owner and person.pays_by_card}
    past_due = Event.objects.filter(type="subscription.past_due", account__owner__in=of_card)
    assert {of_card[event.account.owner_id] for event in past_due} <= {Habit.LATE, Habit.NEVER}
    paid = Invoice.objects.filter(status="paid", account__owner__in=of_card).select_related("account")
    assert {of_card[invoice.account.owner_id] for invoice in paid if is_late(invoice)} <= {Habit.LATE, Habit.NEVER}
    printed = "\n".join(lines(outcome, list(proofs(outcome)), Spent(60, 30)))
    assert f"{charged.count()} charged by themselves" in printed
    assert all(title in printed for title in ("WHAT HAPPENED", "MONEY BY MONTH", "2027-02  USD", "1:00 minutes"))
    assert "BROKEN" not in printed
    # Nothing of it stays.
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert pdf.render_invoice.__module__ == pdf.__name__
    assert mails.Letterbox.path is None
    # A charge that somebody made by hand, and one who is past due all the same, would be seen.
    charged.update(request_key="")
    past_due = Event.objects.filter(type="subscription.activated", account__owner__in=left).first()
    assert past_due
    Event.objects.create(type="subscription.past_due", account=past_due.account, created_at=past_due.created_at)
    assert len(not_charged(outcome.people)) == begun.count()
    assert len(past_due_without_reason(outcome.people)) == 1


@pytest.mark.stress
def test_what_is_wrong_is_seen(run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that fails, money and mails that nobody knows of, and periods that were not invoiced."""

    def out_of_order() -> int:
        raise RuntimeError("out of order")

    monkeypatch.setattr("igny8_core.business.billing.tasks.take_trial_steps", out_of_order)
    outcome = run(accounts=8, days=6, seed=4)
    assert set(broken(outcome)) == {"no scheduled task failed"}
    [pk, periods_seen] = next((pk, seen) for pk, seen in outcome.observed.periods.items() if seen)
    last = periods_seen[-1]
    periods_seen.append(Period(last.end + timedelta(days=1), last.end + timedelta(days=30), "monthly"))
    outcome.broken.append("2027-01-05: 1. credits")
    outcome.mails_again = 2
    outcome.purse.stripe.pay_in_browser(_an_intent(outcome))
    Delivery.objects.filter(pk=Delivery.objects.order_by("pk")[0].pk).update(status="dead", last_error="no such box")

    seen = broken(outcome)

    assert [name.split(" ")[:3] for name in seen] == [
        ["all", str(len(INVARIANTS)), "invariants"],
        ["one", "invoice", "for"],
        ["periods", "touch", "without"],
        ["periods", "end", "where"],
        ["the", "card's", "money"],
        ["no", "mail", "waits"],
        ["no", "mail", "was"],
        ["no", "scheduled", "task"],
    ]
    assert f"subscription {pk}: 0 paid invoices" in seen[next(name for name in seen if name.startswith("one"))][0]
    printed = "\n".join(lines(outcome, list(proofs(outcome)), Spent(1, 1)))
    assert "BROKEN no scheduled task failed" in printed
    assert "RuntimeError: out of order" in printed


def _an_intent(outcome: Outcome) -> str:
    """The secret of a payment that nobody in our books has begun."""
    fake = outcome.purse.stripe
    with fake._changing():
        made = fake.create_payment_intent({"amount": 700, "currency": "usd"})
    return str(made["client_secret"])


@pytest.mark.parametrize(
    ("anchor", "months", "expected"),
    [
        ("2027-01-31", 1, "2027-02-28"),
        ("2027-01-31", 2, "2027-03-31"),
        ("2028-01-30", 1, "2028-02-29"),
        ("2027-12-15", 1, "2028-01-15"),
        ("2028-02-29", 12, "2029-02-28"),
    ],
)
def test_the_calendar_of_the_simulation_knows_months(anchor: str, months: int, expected: str) -> None:
    assert months_after(datetime.fromisoformat(anchor), months) == datetime.fromisoformat(expected)


def test_a_period_that_began_and_ended_between_two_looks_is_seen() -> None:
    subscription, observed, late = running(), Observed(), NEXT_END + timedelta(hours=1)
    observed.look()
    for _ in range(2):
        work_at(late)
        pay_at(late, renewal_of(subscription).invoice)

    observed.look()

    assert [period.start for period in observed.periods[subscription.pk]] == [START, END, NEXT_END]
    assert gaps_and_overlaps(observed) == []


def test_a_month_end_that_drifts_is_a_wrong_end() -> None:
    """From 31 January to 28 February, and from then on to each 28th."""
    moments = [datetime(2027, month, day, tzinfo=UTC) for month, day in ((1, 31), (2, 28), (3, 28), (4, 28))]
    drifting = Observed({1: [Period(*pair, "monthly") for pair in itertools.pairwise(moments)]})

    assert len(wrong_ends(drifting)) == 1


def test_the_same_seed_is_the_same_population_and_another_one_is_not() -> None:
    def told(seed: int) -> list[tuple[Any, ...]]:
        people = population(40, date(2027, 1, 1), 365, seed)
        return [(one.habit, one.plan, one.signs_up_on, one.zone.key, one.pick.random()) for one in people]

    assert told(1) == told(1) != told(2)
    assert {habit for habit, *_ in told(1)} == {*Habit}


def test_every_task_of_the_schedule_runs_but_the_one_that_is_counted() -> None:
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert {task.name for task in schedule.tasks()} == scheduled - schedule.NOT_RUN
    assert {"billing.invoice_renewals", "billing.dun_invoices"} <= scheduled
    assert scheduled >= schedule.NOT_RUN


def test_a_forked_worker_has_the_holidays_that_its_parent_loaded(tmp_path: Path) -> None:
    country_days.cache_clear()
    told = tmp_path / "loaded"

    def tell() -> None:
        told.write_text(str(country_days.cache_info().currsize))

    workers = schedule.Workers(random.Random(1), tmp_path / "failures", schedulers=2)
    workers._in_forks([schedule.Task("tell", tell, is_daily=False, is_often=False)])

    assert workers.failed() == []
    assert int(told.read_text()) == len({country for country, _ in PLACES})


@pytest.mark.parametrize(
    ("zone", "begins_on"),
    [
        # The period begins on the day after the due date, which is one of UTC.
        pytest.param("Pacific/Kiritimati", date(2026, 3, 1), id="in the far east"),
        # It begins in the afternoon, and the next round of the schedule can be after midnight.
        pytest.param("Asia/Kolkata", date(2026, 2, 28), id="late in the day"),
    ],
)
def test_who_leaves_it_to_the_card_waits_for_the_charge_where_they_are(db: None, zone: str, begins_on: date) -> None:
    subscription = running()
    work_at(WEEK_BEFORE)
    invoice = renewal_of(subscription).invoice
    person = next(person for person in population(50, START.date(), 90, 1) if leaves_it_to_the_card(person))
    person.zone = ZoneInfo(zone)

    days = {at(WEEK_BEFORE, _day_to_pay, person, invoice, Purse(FakeStripe())) for _ in range(20)}

    assert (invoice.due_date, person.here(END)) == (date(2026, 2, 28), begins_on)
    assert days == {date(2026, 3, day) for day in (2, 3, 4)}


@pytest.mark.stress
def test_two_schedulers_that_are_killed_at_work_leave_nothing_that_the_next_one_does_not_put_right(
    run: Callable[..., Outcome],
) -> None:
    outcome = run(accounts=8, days=38, seed=180, schedulers=2, kills=True)

    assert broken(outcome) == {}
    assert outcome.workers.counted["workers ended by signal 9"] > 30
    assert outcome.workers.counted["workers that failed"] == 0
    assert Renewal.objects.filter(status="begun").count() >= 2
