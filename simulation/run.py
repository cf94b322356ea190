"""One run: it lets the days pass. At some moments of each day the schedule runs, then operators and customers act."""

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.test.utils import override_settings

from fake_gateways import stripe_server
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, AccountStatus, BillingCycle, Plan
from igny8_core.business.billing.gateways import gateway_of, handler_of
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.business.billing.services.webhook_inbox.inbox import store_message
from igny8_core.common import clock
from simulation import mails
from simulation.life import Life
from simulation.money import Purse, pay_what_is_due
from simulation.operators import Operators
from simulation.people import ORDERS, Person, moment_after, population
from simulation.periods import Observed
from simulation.schedule import Workers

SECRET = "whsec_simulation"  # noqa: S105 - of the stand-in for Stripe
OTHER_PLANS: tuple[dict[str, Any], ...] = (
    {
        "slug": "growth-yearly",
        "name": "Growth, yearly",
        "price": Decimal("1390.00"),
        "billing_cycle": BillingCycle.ANNUAL,
        "included_credits": 24000,
        "max_sites": 3,
        "max_users": 5,
    },
    {
        "slug": "basis",
        "name": "Basis",
        "price": Decimal("79.90"),
        "currency": "EUR",
        "included_credits": 1000,
        "max_users": 2,
    },
)
CHECKED_EVERY = 7
CALM_ROUNDS = 4
# Each eight hours, so that one of them is within the business hours of every time zone. The second moment of a day is
# the operators' as well, the third the customers'.
MOMENTS = (time(1), time(9), time(17))
PAUSE_HOURS = 7


@dataclass(frozen=True)
class Plot:
    """What is simulated. `kills`: about half of the forked schedulers are killed -9 in their work."""

    accounts: int = 50
    days: int = 90
    first: date = date(2027, 1, 1)
    seed: int = 1
    schedulers: int = 1
    kills: bool = False
    pdfs: bool = False


@dataclass
class Outcome:
    """What came of it, beside what stands in the database."""

    plot: Plot
    people: list[Person]
    purse: Purse
    observed: Observed
    workers: Workers
    # Days on which an invariant did not hold, with what was said of it.
    broken: list[str] = field(default_factory=list)
    failed_tasks: list[str] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)
    mails_again: int = 0


def simulate(plot: Plot, on_day: Callable[[int], None] = lambda day: None) -> Outcome:
    """Simulate in the database that this process works on, which has the defaults and no customers.

    `on_day` hears of each finished day. The clock goes on afterwards where it was.
    """
    with TemporaryDirectory(prefix="simulation-") as folder, _surroundings(plot, Path(folder)) as stripe:
        return _Run(plot, stripe, Path(folder)).go(on_day)


@contextmanager
def _surroundings(plot: Plot, folder: Path) -> Iterator[FakeStripe]:
    """The stand-in for Stripe, a letterbox, and settings that let the simulation reach nobody outside."""
    mails.Letterbox.path = folder / "mails"
    fake = FakeStripe()
    fake.clock = lambda: clock.now().timestamp()
    server = stripe_server.serve(fake)
    keys = StripeSettings("sk_test_simulation", "pk_test_simulation", (SECRET,), live=False, api_base=server.address)
    changed = {
        "STRIPE": keys,
        "PAYPAL": None,
        # With it, Django keeps the text of every statement.
        "DEBUG": False,
        "EMAIL_BACKEND": mails.BACKEND,
        "OFFER_SAMPLE_PAYEES": True,
        # Nobody logs in, so hashes need not be slow.
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    }
    drawn = {name: getattr(pdf, name) for name in ("render_invoice", "render_credit_note")}
    level = logging.root.manager.disable
    try:
        logging.disable(logging.CRITICAL)
        if not plot.pdfs:
            # Drawing takes most of the time, and is no part of what is proved.
            _replace(pdf, dict.fromkeys(drawn, _not_drawn))
        with override_settings(**changed):
            yield fake
    finally:
        _replace(pdf, drawn)
        logging.disable(level)
        clock.stand_at(None)
        server.stop()
        mails.Letterbox.path = None


def _replace(module: Any, functions: dict[str, Any]) -> None:
    for name, function in functions.items():
        setattr(module, name, function)


def _not_drawn(document: Any) -> bytes:
    return b"%PDF-1.7"


class _Run:
    def __init__(self, plot: Plot, stripe: FakeStripe, folder: Path) -> None:
        self._plot = plot
        self._pick = random.Random(f"run:{plot.seed}")
        self._untold: list[dict[str, Any]] = []
        stripe.on_event = self._hear
        clock.stand_at(datetime.combine(plot.first, time(), UTC))
        for row in OTHER_PLANS:
            Plan.objects.create(**row)
        purse = Purse(stripe)
        self._operators = Operators(purse, plot.seed)
        self._life = Life(purse, self._operators)
        workers = Workers(self._pick, folder / "failures", plot.schedulers, plot.kills)
        people = population(plot.accounts, plot.first, plot.days, plot.seed)
        self._outcome = Outcome(plot, people, purse, Observed(), workers)

    def go(self, on_day: Callable[[int], None]) -> Outcome:
        """All days, then a few calm hours in which everything that waits is done."""
        for number in range(self._plot.days):
            self._day(number)
            on_day(number + 1)
        for _ in range(CALM_ROUNDS):
            self._later(timedelta(hours=1))
            self._work(calmly=True)
        self._check()
        self._outcome.failed_tasks = self._outcome.workers.failed()
        self._outcome.mails, self._outcome.mails_again = mails.by_kind(), mails.sent_again()
        return self._outcome

    def _day(self, number: int) -> None:
        day = self._plot.first + timedelta(days=number)
        for part, at in enumerate(MOMENTS):
            clock.stand_at(datetime.combine(day, at, UTC))
            self._work(is_first_of_day=part == 0)
            if part == 0 and number % CHECKED_EVERY == CHECKED_EVERY - 1:
                self._check()
            elif part == 1:
                self._operators.work()
                self._operators.banks_decide()
                if number == self._plot.days // 3:
                    self._operators.raise_a_price()
            elif part == 2:
                self._customers(day)

    def _work(self, *, is_first_of_day: bool = False, calmly: bool = False) -> None:
        self._messages_come()
        self._outcome.workers.work(is_first_of_day=is_first_of_day, calmly=calmly)
        self._outcome.observed.look()

    def _customers(self, day: date) -> None:
        """Each person's moments of today, in their order."""
        begun = clock.now()
        accounts = {account.owner_id: account for account in Account.objects.select_related("plan")}
        unpaid: dict[int, list[Invoice]] = defaultdict(list)
        pending = Invoice.objects.filter(status=InvoiceStatus.PENDING).select_related("account", "subscription")
        for invoice in pending.order_by("pk"):
            unpaid[invoice.account_id].append(invoice)
        acting = [(moment_after(begun, PAUSE_HOURS, person.pick), person) for person in self._outcome.people]
        for moment, person in sorted(acting, key=lambda each: (each[0], each[1].number)):
            clock.stand_at(moment)
            account = accounts.get(person.owner.pk) if person.owner else None
            if account:
                self._act(person, account, unpaid[account.pk])
            elif person.owner is None and person.signs_up_on <= day:
                self._arrive(person)
        self._outcome.observed.look()

    def _arrive(self, person: Person) -> None:
        self._life.sign_up(person)
        if person.owner:
            self._pay(person)

    def _act(self, person: Person, account: Account, unpaid: list[Invoice]) -> None:
        pay_what_is_due(person, unpaid, self._outcome.purse)
        wishes = person.wants()
        if wishes:
            account.refresh_from_db()
        for wish in wishes:
            self._life.do(person, account, wish)
        if not ORDERS.isdisjoint(wishes):
            self._pay(person)
        days = (clock.now().date() - person.signs_up_on).days
        if person.is_trial and person.orders_after == days and account.status == AccountStatus.TRIAL:
            self._life.order(person, account)

    def _pay(self, person: Person) -> None:
        """What was ordered a moment ago is looked at a moment later; the price of a change holds for a day."""
        of_person = Invoice.objects.filter(account__owner=person.owner, status=InvoiceStatus.PENDING)
        unpaid = of_person.select_related("account", "subscription").order_by("pk")
        pay_what_is_due(person, list(unpaid), self._outcome.purse)

    def _hear(self, event: dict[str, Any]) -> None:
        """Stripe has something to tell; what we never asked to be told is left out."""
        if handler_of("stripe", event["type"]):
            self._untold.append(event)

    def _messages_come(self) -> None:
        """What Stripe has told since last time, in another order, some of it twice."""
        told, self._untold = self._untold, []
        self._pick.shuffle(told)
        gateway = gateway_of("stripe")
        for event in told:
            body, headers = self._outcome.purse.stripe.signed(event, SECRET)
            gateway.verify_webhook(body, {name.lower(): value for name, value in headers.items()})
            for _ in range(2 if self._pick.random() < 0.1 else 1):
                store_message("stripe", gateway.read_webhook(body), body)

    def _check(self) -> None:
        """Look at the invariants. After kills, one calm worker first does what the killed ones left."""
        if self._plot.kills:
            self._later(timedelta(minutes=30))
            self._work(calmly=True)
        for result in broken_invariants():
            said = "; ".join(result.examples[:3])
            self._outcome.broken.append(f"{clock.now():%Y-%m-%d}: {result.number}. {result.name}: {said}")

    def _later(self, pause: timedelta) -> None:
        clock.stand_at(clock.now() + pause)
