"""Who takes part: each account is a person with a script, which is the same for the same seed."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from igny8_core.auth.models import User


class Habit(StrEnum):
    """How somebody pays."""

    EXACT = "exactly"
    LATE = "late"
    TWICE = "twice"
    NEVER = "never"


# Countries with a time zone each, spread around the earth.
PLACES = (
    *(("US", "America/New_York"), ("US", "America/Los_Angeles"), ("DE", "Europe/Berlin"), ("GB", "Europe/London")),
    *(("JP", "Asia/Tokyo"), ("IN", "Asia/Kolkata"), ("AE", "Asia/Dubai"), ("AU", "Australia/Sydney")),
    *(("BR", "America/Sao_Paulo"), ("PK", "Asia/Karachi")),
)
HABITS = {Habit.EXACT: 55, Habit.LATE: 20, Habit.TWICE: 12, Habit.NEVER: 13}
PLANS = {"starter": 40, "growth": 25, "scale": 10, "growth-yearly": 10, "basis": 15}
# What somebody does on one of a thousand days, with what they have.
LIFE = {
    "spend": 40,
    "upgrade": 5,
    "downgrade": 4,
    "cancel_at_end": 3,
    "cancel_now": 1,
    "come_back": 25,
    "buy_credits": 4,
    "ask_for_refund": 2,
    "dispute": 2,
}
# After these there may be an invoice.
ORDERS = frozenset({"upgrade", "come_back", "buy_credits"})
TRIALS = 0.15
CARDS = 0.5
ASKED_EVERY_TIME = 0.1
MONTH_ENDS = 0.25
ASKING_CARD = "pm_card_authenticationRequired"


@dataclass
class Person:
    """A customer with a script, and what became of it so far."""

    number: int
    pick: random.Random
    habit: Habit
    late_by: int
    pays_by_card: bool
    card: str
    country: str
    zone: ZoneInfo
    plan: str
    signs_up_on: date
    is_trial: bool
    orders_after: int | None
    # Who "never" pays may have paid some periods before that.
    stops_after: int
    owner: User | None = None
    paid: int = 0
    pays_on: dict[int, date] = field(default_factory=dict)
    card_works_again: date | None = None
    repeats: list[int] = field(default_factory=list)

    @property
    def email(self) -> str:
        return f"person{self.number}@example.com"

    @property
    def method(self) -> str:
        return "stripe" if self.pays_by_card else "bank_transfer"

    @property
    def is_asked_every_time(self) -> bool:
        """Whether the bank wants this person to be there for each charge."""
        return self.card == ASKING_CARD

    @property
    def stopped(self) -> bool:
        """Whether this person pays nothing any more."""
        return self.habit == Habit.NEVER and self.paid >= self.stops_after

    def here(self, moment: datetime) -> date:
        """The day where the person is."""
        return moment.astimezone(self.zone).date()

    def wants(self) -> list[str]:
        """What the person does today beside paying; mostly nothing."""
        return [name for name, weight in LIFE.items() if self.pick.random() * 1000 < weight]


def population(count: int, first: date, days: int, seed: int) -> list[Person]:
    """So many people; three of four sign up within the first half of the days, many of them at a month's end."""
    return [_person(number, first, days, random.Random(f"{seed}:{number}")) for number in range(1, count + 1)]


def _person(number: int, first: date, days: int, pick: random.Random) -> Person:
    country, zone = pick.choice(PLACES)
    is_trial = pick.random() < TRIALS
    habit = pick.choices([*HABITS], [*HABITS.values()])[0]
    asks = pick.random() < ASKED_EVERY_TIME
    return Person(
        number=number,
        pick=pick,
        habit=habit,
        late_by=pick.choice((1, 2, 4, 6, 9, 13, 16, 22, 29)),
        pays_by_card=pick.random() < CARDS,
        card=ASKING_CARD if asks else "pm_card_visa",
        country=country,
        zone=ZoneInfo(zone),
        plan=pick.choices([*PLANS], [*PLANS.values()])[0],
        signs_up_on=_day_of_signup(first, days, pick),
        is_trial=is_trial,
        orders_after=pick.choice((2, 5, 9, 12, 20, None)),
        stops_after=pick.choice((0, 0, 1, 2, 4)),
    )


def _day_of_signup(first: date, days: int, pick: random.Random) -> date:
    latest = max(1, days // 2 if pick.random() < 0.75 else days * 4 // 5)
    day = first + timedelta(days=pick.randrange(latest))
    if pick.random() < MONTH_ENDS:
        end = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=pick.choice((1, 1, 2, 3)))
        if (end - first).days < latest:
            return end
    return day


def moment_after(begun: datetime, hours: int, pick: random.Random) -> datetime:
    """A moment within the hours that follow, to the second."""
    return begun + timedelta(seconds=pick.randrange(hours * 3600))
