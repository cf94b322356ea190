"""Dunning when a worker is killed at any step, and when two schedules run at once: each stage once, with all of it."""

from random import randrange

import pytest

from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import DunningStep, Invoice, Payment
from igny8_core.business.billing.services.dunning import steps
from igny8_core.business.billing.services.dunning.steps import take_due_steps
from igny8_core.business.billing.services.dunning.trials import take_trial_steps
from igny8_core.common import clock
from igny8_core.events.models import Delivery, Event
from tests import make
from tests.billing.dunning import day, due_renewal
from tests.concurrency.interleave import run_before
from tests.concurrency.killed import killed_before
from tests.concurrency.race import all_at_once
from tests.concurrency.unlocked import without_row_locks

pytestmark = pytest.mark.django_db(transaction=True)
MOST_STEPS = 60


def told(invoice: Invoice, kind: str) -> int:
    """How many mails of a kind about an invoice wait or were sent."""
    events = Event.objects.filter(type=kind, object_id=str(invoice.pk))
    return Delivery.objects.filter(event__in=events, consumer="email").count()


@pytest.mark.stress
def test_a_schedule_that_is_killed_anywhere_is_put_right_by_the_next_one(pace: int) -> None:
    for step in range(randrange(pace), MOST_STEPS, pace):
        invoice = due_renewal()
        with day(1):
            was_killed = killed_before(step, take_due_steps)
            take_due_steps()

        assert list(DunningStep.objects.filter(invoice=invoice, stage=1).values_list("kind", flat=True)) == ["overdue"]
        assert told(invoice, "invoice.overdue") == 1
        assert Subscription.objects.get(pk=invoice.subscription_id).status == "past_due"
        assert Account.objects.get(pk=invoice.account_id).status == "past_due"
        if not was_killed:
            break
        # Only the newest invoice is due in each round.
        Invoice.objects.filter(pk=invoice.pk).update(status="uncollectible")

    assert step > 10
    assert not was_killed


def test_two_schedules_at_once_take_each_step_once() -> None:
    invoices = [due_renewal() for _ in range(3)]
    for number in (1, 3, 7):
        with day(number):
            outcomes = all_at_once([take_due_steps] * 4)
        assert all(isinstance(outcome, int) for outcome in outcomes), outcomes
        assert sum(outcomes) == 3  # type: ignore[arg-type]
    assert [told(invoice, "invoice.overdue") for invoice in invoices] == [3, 3, 3]
    assert broken_invariants() == []


def test_a_confirmation_that_comes_before_the_lock_wins() -> None:
    """The customer confirms after the schedule has seen that a step is due, and before it takes the step."""
    invoice = due_renewal()

    with day(1), run_before(steps, "take_due_step", lambda: make.submitted_payment(invoice)) as rival:
        take_due_steps()

    assert isinstance(rival.outcome(), Payment)
    assert not DunningStep.objects.filter(invoice=invoice).exists()
    assert Subscription.objects.get(pk=invoice.subscription_id).status == "active"


def test_a_confirmation_waits_for_a_step_that_is_being_taken() -> None:
    invoice = due_renewal()

    with day(1), run_before(steps, "_record", lambda: make.submitted_payment(invoice)) as rival:
        take_due_steps()

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), Payment)
    assert told(invoice, "invoice.overdue") == 1


def test_canary_without_row_locks_a_notice_goes_out_while_a_confirmation_waits() -> None:
    invoice = due_renewal()

    with day(1), without_row_locks(), run_before(steps, "_record", lambda: make.submitted_payment(invoice)) as rival:
        take_due_steps()

    assert not rival.had_to_wait
    assert isinstance(rival.outcome(), Payment)
    assert DunningStep.objects.filter(invoice=invoice, stage=1).exists()


def test_a_trial_is_told_once_by_four_schedules() -> None:
    with day(0):
        account = make.owner({"status": "trial"}).account
        assert account
        Account.objects.filter(pk=account.pk).update(trial_ends_at=clock.now())
        outcomes = all_at_once([take_trial_steps] * 4)

    assert sum(outcomes) == 1  # type: ignore[arg-type]
    assert Event.objects.filter(type="account.trial_ended").count() == 1
