"""Business days and hours where a customer is: the country's holidays, with the operators' own days over them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import ALL_COUNTRIES, BusinessDay

# Of Monday 0 to Sunday 6; for customers whose country is not known.
USUAL_WEEKEND = frozenset({5, 6})
DAY = timedelta(days=1)
# No row of feasts and weekends is longer.
LONGEST_ROW = 40


@dataclass(frozen=True)
class Calendar:
    """Which days are business days. `decided` is what operators entered, by country (or *) and day."""

    decided: Mapping[tuple[str, date], bool] = field(default_factory=dict)

    def is_business_day(self, country: str, day: date) -> bool:
        """Whether people work on this day in the country (ISO 3166-1; empty: not known, so Monday to Friday)."""
        for code in (country, ALL_COUNTRIES):
            if (code, day) in self.decided:
                return self.decided[code, day]
        holidays, weekend = country_days(country, day.year)
        return day not in holidays and day.weekday() not in weekend

    def business_day_before(self, country: str, day: date) -> date:
        """The day itself if it is a business day, else the last one before it."""
        back = (day - DAY * number for number in range(LONGEST_ROW))
        return next((each for each in back if self.is_business_day(country, each)), day)


def current_calendar() -> Calendar:
    """The calendar with all days that operators entered."""
    rows = BusinessDay.objects.values_list("country_code", "day", "is_business_day")
    return Calendar({(country, day): works for country, day, works in rows})


@lru_cache(maxsize=1000)
def country_days(country: str, year: int) -> tuple[frozenset[date], frozenset[int]]:
    """The public holidays of a year, and the weekdays on which nobody works."""
    # Imported here: the package takes 65 ms, which no web process needs at its start.
    from holidays import country_holidays

    try:
        found = country_holidays(country, years=[year]) if country else None
    except NotImplementedError:
        found = None
    if found is None:
        return frozenset(), USUAL_WEEKEND
    return frozenset(found), frozenset(found.weekend)


def local_time(account: Account, at: datetime) -> datetime:
    """The time where the account is."""
    return at.astimezone(zone_of(account.timezone, account.billing_country))


@lru_cache(maxsize=1000)
def zone_of(named: str, country: str) -> ZoneInfo:
    """The time zone of an account; of one that never set its own (UTC), the one zone of its country, if it has one."""
    if named != "UTC":
        return ZoneInfo(named)
    zones = [zone for zone, territory in get_global("zone_territories").items() if territory == country]
    return ZoneInfo(zones[0] if len(zones) == 1 else "UTC")
