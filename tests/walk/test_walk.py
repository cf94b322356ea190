"""Random steps of all that can happen to orders and money, in any order: every invariant holds after them.

WALK_SEED=5 WALK_STEPS=1500 replays a walk, or takes another one.
"""

import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.services import settlement
from igny8_core.business.billing.services.credits.granting import LedgerEntry
from igny8_core.business.billing.services.invoices import lifecycle
from igny8_core.business.billing.services.reconciliation import daily
from igny8_core.business.billing.services.refunds import booking
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.webhook_inbox import handlers
from igny8_core.common.errors import DomainError
from igny8_core.events import consumers
from tests.walk.steps import Walkers
from tests.walk.town import GATEWAY_REFUSALS, START, STEPS, Idle, Town

pytestmark = pytest.mark.django_db(transaction=True)

CHECK_EVERY = 50
SEEDS, SEED_OF_LONG = [1, 2], 5
SHORT, MIDDLE, LONG = 300, 500, 1500
# How much of it the long walk has to have reached at least.
DEEP = {
    "paid upgrades": 5,
    "paid plans": 10,
    "bought credits": 25,
    "void invoices": 20,
    "ended subscriptions": 10,
    "won disputes": 1,
    "lost disputes": 2,
    "refunds at gateways": 12,
    "payments refunded in part": 5,
}


class Unexpected(logging.Handler):
    """Notes what work queues meet that is no refusal: they go on after it, as they must."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.met: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.met.append(record.exc_info[1])


class Walk:
    """A town and the steps that were taken in it."""

    def __init__(self, seed: int, town: Town, unexpected: Unexpected) -> None:
        self.seed = seed
        self.town = town
        self.pick = town.pick
        self.unexpected = unexpected
        self.taken: list[str] = []
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def go(self, steps: int) -> None:
        """Take steps, and look at the books on the way and at the end."""
        try:
            for number in range(1, steps + 1):
                self._take_one()
                if number % CHECK_EVERY == 0:
                    self._check()
            self.town.all_messages_come()
            self.town.workers()
            self._check()
            self.town.facts.check(at_the_end=True)
        except Exception as problem:
            last = "\n".join(f"  {number}. {name}" for number, name in [*enumerate(self.taken, 1)][-25:])
            replay = f"WALK_SEED={self.seed} WALK_STEPS={len(self.taken)}"
            raise AssertionError(f"{problem!r} after these steps ({replay} replays them):\n{last}") from problem

    def _take_one(self) -> None:
        self.town.clock.shift(self.pick.randint(1, 30))
        while True:
            step = self.pick.choices(STEPS, [step.weight for step in STEPS])[0]
            self.taken.append(step.name)
            try:
                account = step.do(self.town)
            except Idle:
                self.taken.pop()
                continue
            except DomainError as refusal:
                account = None
                self.taken[-1] += f": {refusal.code}"
                self.refused[f"{step.name}: {refusal.code}"] += 1
            except GATEWAY_REFUSALS:
                account = None
                self.taken[-1] += ": refused at the gateway"
                self.refused[f"{step.name}: at the gateway"] += 1
            else:
                self.done[step.name] += 1
            break
        if self.unexpected.met:
            raise self.unexpected.met[0]
        self.town.facts.look(account)

    def _check(self) -> None:
        self.town.workers()
        assert broken_invariants() == []
        self.town.facts.check()


@pytest.fixture
def walk(stripe: FakeStripe, paypal: FakePayPal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Walk]]:
    """Begin a walk with a seed. Mails are not sent: who wants them has tests of their own."""
    monkeypatch.setattr(consumers, "_consumers", {})
    unexpected = Unexpected()
    logger = logging.getLogger("igny8_core.common.work_queue")
    logger.addHandler(unexpected)
    with time_machine.travel(START, tick=False) as clock:
        yield lambda seed: Walk(seed, Walkers(random.Random(seed), stripe, paypal, clock), unexpected)
    logger.removeHandler(unexpected)


def test_a_short_walk(walk: Callable[[int], Walk]) -> None:
    short = walk(int(os.environ.get("WALK_SEED", 0)))

    short.go(int(os.environ.get("WALK_STEPS", SHORT)))

    often = ("buy_credits", "approve", "pay_by_card", "spend", "void", "messages_come", "time_passes")
    missed = [name for name in often if not short.done[name]]
    assert missed == [] or len(short.taken) < SHORT


@pytest.mark.stress
@pytest.mark.parametrize("seed", SEEDS)
def test_another_walk(seed: int, walk: Callable[[int], Walk]) -> None:
    walk(seed).go(MIDDLE)


@pytest.mark.stress
def test_a_long_walk_has_been_everywhere(walk: Callable[[int], Walk]) -> None:
    long = walk(SEED_OF_LONG)

    long.go(LONG)

    # It has been everywhere: each kind of step has done what it can, and states are reached that take several steps.
    reached = {kind: Counter(states.values()) for kind, states in long.town.facts.states.items()}
    deep = {
        "paid upgrades": long.town.facts.paid("upgrade"),
        "paid plans": long.town.facts.paid("plan"),
        "bought credits": long.town.facts.paid("credits"),
        "void invoices": reached["invoice"]["void"],
        "ended subscriptions": reached["subscription"]["canceled"],
        "won disputes": reached["dispute"]["won"],
        "lost disputes": reached["dispute"]["lost"],
        "refunds at gateways": reached["refund"]["succeeded"],
        "payments refunded in part": reached["payment"]["partially_refunded"],
    }
    rare = {step.name: long.done[step.name] for step in STEPS if long.done[step.name] < step.at_least}
    shallow = {what: times for what, times in deep.items() if times < DEEP[what]}
    assert (rare, shallow) == ({}, {})


# --- What the walk would notice -----------------------------------------------------------------------------------


def grant_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    grant = settlement.grant_credits

    def granting(account: Account, amount: int, *, source: str, **row: Any) -> LedgerEntry:
        grant(account, amount, source=f"{source}, again", **row)
        return grant(account, amount, source=source, **row)

    monkeypatch.setattr(settlement, "grant_credits", granting)


def forget_credits_of_refunds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "take_back_credits", lambda *account, **row: 0)


def void_in_spite_of_payments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "payment_being_decided", lambda *invoices: None)


def revive_ended_subscriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    def reviving(subscription: Subscription, *order: Any) -> Subscription:
        live = Subscription.objects.filter(account_id=subscription.account_id).exclude(status="canceled")
        if subscription.current_period_end and not live.exists():
            Subscription.objects.filter(pk=subscription.pk).update(status="active")
        return subscription

    monkeypatch.setattr(SubscriptionService, "reactivate_subscription", staticmethod(reviving))


def hear_of_no_dispute(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (handlers, daily):
        monkeypatch.setattr(place, "sync_dispute", lambda *dispute: None)


@pytest.mark.stress
@pytest.mark.parametrize(
    ("broken", "seed", "noticed"),
    # With these seeds it is noticed soon.
    [
        (grant_twice, 8, r"has one grant|got \d+ credits of \d+"),
        (forget_credits_of_refunds, 14, r"went back, \d+ left"),
        (void_in_spite_of_payments, 10, "goes on for a void invoice"),
        (revive_ended_subscriptions, 9, "subscription \\d+: canceled became active"),
        (hear_of_no_dispute, 6, "the gateway has .* of it, booked"),
    ],
    ids=["grants twice", "refund forgets credits", "void ignores payments", "ended revives", "deaf to disputes"],
)
def test_a_walk_notices_a_broken_rule(
    broken: Callable[[pytest.MonkeyPatch], None],
    seed: int,
    noticed: str,
    walk: Callable[[int], Walk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken(monkeypatch)
    short = walk(seed)

    with pytest.raises(AssertionError, match=noticed):
        short.go(600)
