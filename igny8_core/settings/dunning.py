"""When unpaid invoices are reminded of, and what follows if they stay unpaid: days after the due date."""

import re
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from igny8_core.settings import environment

MOST_DAYS = 365


@dataclass(frozen=True)
class DunningSettings:
    """The stages, as days after the due date (negative: before it), and when they may be taken.

    `opens` and `closes` are hours of the customer's day: a stage is taken from the one and before the other.
    """

    reminders: tuple[int, ...] = (-7, -3, 0)
    overdue: tuple[int, ...] = (1, 3, 7)
    suspend_after: int = 14
    cancel_after: int = 30
    grace_days: int = 3
    opens: int = 9
    closes: int = 18

    def __post_init__(self) -> None:
        """Raises ImproperlyConfigured naming the variable that does not fit."""
        days = (*self.reminders, *self.overdue, self.suspend_after, self.cancel_after)
        rules = {
            "DUNNING_REMINDER_DAYS": all(-MOST_DAYS <= day <= 0 for day in self.reminders),
            "DUNNING_OVERDUE_DAYS": bool(self.overdue) and all(1 <= day <= MOST_DAYS for day in self.overdue),
            "DUNNING_SUSPEND_AFTER_DAYS": self.suspend_after <= MOST_DAYS,
            "DUNNING_CANCEL_AFTER_DAYS": self.cancel_after <= MOST_DAYS,
            "DUNNING_GRACE_DAYS": self.grace_days <= MOST_DAYS,
            "DUNNING_HOURS": 0 <= self.opens < self.closes <= 24,
        }
        for name, holds in rules.items():
            if not holds:
                raise ImproperlyConfigured(f"{name} does not fit. {EXPECTED[name]}")
        if list(days) != sorted(set(days)):
            raise ImproperlyConfigured(
                "The days of DUNNING_REMINDER_DAYS, DUNNING_OVERDUE_DAYS, DUNNING_SUSPEND_AFTER_DAYS and "
                f"DUNNING_CANCEL_AFTER_DAYS have to grow, each once. They are {', '.join(map(str, days))}."
            )


EXPECTED = {
    "DUNNING_REMINDER_DAYS": "Set it to days from -365 to 0, separated by commas, for example -7,-3,0.",
    "DUNNING_OVERDUE_DAYS": "Set it to at least one day from 1 to 365, separated by commas, for example 1,3,7.",
    "DUNNING_SUSPEND_AFTER_DAYS": "Set it to at most 365 days, for example 14.",
    "DUNNING_CANCEL_AFTER_DAYS": "Set it to at most 365 days, for example 30.",
    "DUNNING_GRACE_DAYS": "Set it to at most 365 days, for example 3.",
    "DUNNING_HOURS": "Set it to two hours of a day, for example 9-18.",
}


def read() -> DunningSettings:
    """The settings from the environment. Raises ImproperlyConfigured naming the variable."""
    hours = re.fullmatch(r"([0-9]{1,2})-([0-9]{1,2})", environment.text("DUNNING_HOURS", "9-18"), re.ASCII)
    if hours is None:
        raise ImproperlyConfigured(f"DUNNING_HOURS does not fit. {EXPECTED['DUNNING_HOURS']}")
    return DunningSettings(
        reminders=days_of("DUNNING_REMINDER_DAYS", "-7,-3,0"),
        overdue=days_of("DUNNING_OVERDUE_DAYS", "1,3,7"),
        suspend_after=environment.at_least_one("DUNNING_SUSPEND_AFTER_DAYS", 14),
        cancel_after=environment.at_least_one("DUNNING_CANCEL_AFTER_DAYS", 30),
        grace_days=environment.number("DUNNING_GRACE_DAYS", 3),
        opens=int(hours[1]),
        closes=int(hours[2]),
    )


def days_of(name: str, default: str) -> tuple[int, ...]:
    """Whole numbers of days, separated by commas. Raises ImproperlyConfigured naming the variable."""
    words = environment.words(name, default)
    if not all(re.fullmatch(r"-?[0-9]{1,3}", word, re.ASCII) for word in words):
        raise ImproperlyConfigured(
            f"{name} is {','.join(words)}. Set it to whole numbers of days, separated by commas, for example {default}."
        )
    return tuple(int(word) for word in words)


def days_before(name: str, default: str) -> tuple[int, ...]:
    """Days before something ends, each 1 or more, the most first. Raises ImproperlyConfigured naming the variable."""
    days = days_of(name, default)
    if not all(1 <= day <= MOST_DAYS for day in days):
        raise ImproperlyConfigured(f"{name} does not fit. Set it to days from 1 to {MOST_DAYS}, for example {default}.")
    return tuple(sorted(set(days), reverse=True))
