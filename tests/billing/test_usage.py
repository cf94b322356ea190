"""Usage analytics are right in any time zone, on any day (issue: daylight saving), summed or not."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import CreditUsageLog, CreditUsageSum, UsageSumMark
from igny8_core.business.billing.services.credits.rollup import sum_up_usage
from igny8_core.business.billing.usage import analytics, midnights, starts_of, used_between

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def use(account: Account, at: datetime, amount: int = 1, operation: str = "article") -> None:
    CreditUsageLog.objects.create(account=account, operation_type=operation, credits=amount, created_at=at)


def in_zone(account: Account, name: str) -> Account:
    account.timezone = name
    account.save()
    return account


def daily(account: Account, first: date, last: date) -> dict[date, int]:
    series = analytics(account, first, last, "day", NOW).series
    return {interval.start: interval.credits for interval in series}


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Africa/Cairo", date(2026, 4, 24), 23),
        ("America/Havana", date(2026, 3, 8), 23),
        ("Asia/Karachi", date(2026, 3, 29), 24),
        ("Asia/Kathmandu", date(2026, 3, 29), 24),
    ],
)
@pytest.mark.parametrize("summed", [False, True])
def test_a_day_has_the_hours_that_the_clocks_give_it(
    account_a: Account, zone: str, day: date, hours: float, summed: bool
) -> None:
    account = in_zone(account_a, zone)
    begin, end = midnights([day, day + timedelta(days=1)], zone)
    assert (end - begin) == timedelta(hours=hours)
    for at in (begin - timedelta(microseconds=1), begin, end - timedelta(microseconds=1), end):
        use(account, at)
    if summed:
        assert sum_up_usage(NOW) > 0

    found = daily(account, day - timedelta(days=1), day + timedelta(days=1))

    assert found == {day - timedelta(days=1): 1, day: 2, day + timedelta(days=1): 1}


def test_every_zone_of_the_world_begins_its_days_on_a_quarter_of_an_hour() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(366)]

    for zone in sorted(available_timezones()):
        moments = midnights(days, zone)

        assert {(moment.minute % 15, moment.second, moment.microsecond) for moment in moments} == {(0, 0, 0)}, zone
        assert [moment.astimezone(ZoneInfo(zone)).date() for moment in moments] == days, zone
        assert moments == sorted(set(moments)), zone


@pytest.mark.parametrize("seed", range(5))
def test_sums_and_log_together_say_what_the_log_alone_says(account_a: Account, seed: int) -> None:
    chance = random.Random(seed)
    account = in_zone(account_a, chance.choice(["Asia/Kathmandu", "Europe/London", "Pacific/Chatham"]))
    first, last = date(2026, 10, 20), date(2026, 11, 20)
    expected: Counter[tuple[date, str]] = Counter()
    for _ in range(300):
        at = NOW - timedelta(seconds=chance.randrange(40 * 86400))
        amount, operation = chance.randint(1, 9), chance.choice(["article", "image"])
        use(account, at, amount, operation)
        expected[at.astimezone(ZoneInfo(account.timezone)).date(), operation] += amount
    sum_up_usage(NOW - timedelta(days=chance.randint(1, 20)))

    starts = starts_of(first, last, "day")
    rows = used_between(account, midnights([*starts, last + timedelta(days=1)], account.timezone))

    found = Counter({(starts[row.interval], row.operation_type): row.credits for row in rows})
    assert found == Counter({key: value for key, value in expected.items() if first <= key[0] <= last})


def test_what_is_summed_once_is_never_summed_again(account_a: Account) -> None:
    for minutes in (1, 4, 20, 21, 50):
        use(account_a, NOW - timedelta(minutes=minutes))

    assert sum_up_usage(NOW) == 2
    assert sum_up_usage(NOW) == 0
    assert UsageSumMark.objects.get().summed_up_to == datetime(2026, 11, 21, 9, 45, tzinfo=UTC)
    assert list(CreditUsageSum.objects.order_by("quarter").values_list("credits", "operations")) == [(1, 1), (2, 2)]
    assert sum(daily(account_a, NOW.date(), NOW.date()).values()) == 5
    # A quarter more, and the hour from 9:00 to 10:00.
    assert sum_up_usage(NOW + timedelta(hours=1)) == 2
    assert sum(daily(account_a, NOW.date(), NOW.date()).values()) == 5


@pytest.mark.parametrize(
    ("granularity", "starts"),
    [
        ("week", ["2026-10-28", "2026-11-02", "2026-11-09"]),
        ("month", ["2026-10-28", "2026-11-01"]),
    ],
)
def test_weeks_begin_on_monday_and_months_on_the_first(granularity: str, starts: list[str]) -> None:
    found = starts_of(date(2026, 10, 28), date(2026, 11, 15), granularity)

    assert [day.isoformat() for day in found] == starts


def test_a_month_is_projected_at_its_present_rate(account_a: Account) -> None:
    use(account_a, datetime(2026, 11, 1, tzinfo=UTC), 7)
    use(account_a, datetime(2026, 11, 20, tzinfo=UTC), 93)
    use(account_a, datetime(2026, 10, 31, 23, 59, tzinfo=UTC), 1000)

    projection = analytics(account_a, NOW.date(), NOW.date(), "day", NOW).projection

    gone = (NOW - datetime(2026, 11, 1, tzinfo=UTC)).total_seconds()
    assert (projection.month, projection.credits_used) == (date(2026, 11, 1), 100)
    assert projection.projected_credits == round(100 * 30 * 86400 / gone)


def test_other_accounts_are_never_counted(account_a: Account, charlie: Any) -> None:
    use(charlie.account, NOW - timedelta(days=1), 500)
    sum_up_usage(NOW)
    use(charlie.account, NOW, 500)

    assert set(daily(account_a, date(2026, 11, 1), NOW.date()).values()) == {0}
