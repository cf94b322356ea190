"""Usage is read from sums of hours, sums of quarters and the log: together they say what the log alone says."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import available_timezones

import pytest
from django.db import connection

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import (
    CreditUsageHour,
    CreditUsageLog,
    CreditUsageSum,
    UsageHourMark,
    UsageSumMark,
)
from igny8_core.business.billing.services.credits.rollup import sum_up_usage
from igny8_core.business.billing.usage import midnights, used_between, used_since

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 27, 9, 50, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
# Summer time ends in Europe on the 25th. A day more on each side: zones are up to 14 hours from UTC.
DAYS = [date(2026, 10, 23) + timedelta(days=number) for number in range(5)]


@pytest.fixture
def log(account_a: Account) -> list[CreditUsageLog]:
    """A use at the first or the last moment of each quarter of an hour of a week."""
    chance = random.Random(6)
    begin = datetime(2026, 10, 21, tzinfo=UTC)
    edges = [timedelta(0), QUARTER - timedelta(microseconds=1)]
    return CreditUsageLog.objects.bulk_create(
        CreditUsageLog(
            account=account_a,
            operation_type=chance.choice(["article", "image"]),
            credits=chance.randint(1, 999),
            created_at=begin + number * QUARTER + chance.choice(edges),
        )
        for number in range((NOW - begin) // QUARTER)
    )


def found(account: Account, bounds: Sequence[datetime]) -> dict[tuple[int, str], tuple[int, int]]:
    rows = used_between(account, bounds)
    assert len({(row.interval, row.operation_type) for row in rows}) == len(rows)
    return {(row.interval, row.operation_type): (row.credits, row.operations) for row in rows}


def expected(log: list[CreditUsageLog], bounds: Sequence[datetime]) -> dict[tuple[int, str], tuple[int, int]]:
    credits: Counter[tuple[int, str]] = Counter()
    operations: Counter[tuple[int, str]] = Counter()
    for row in log:
        if bounds[0] <= row.created_at < bounds[-1]:
            key = sum(bound <= row.created_at for bound in bounds) - 1, row.operation_type
            credits[key] += row.credits
            operations[key] += 1
    return {key: (credits[key], operations[key]) for key in credits}


def set_mark(mark: type[Any], moment: datetime | None) -> None:
    mark.objects.all().delete()
    if moment:
        mark.objects.create(pk=1, summed_up_to=moment)


def test_every_zone_of_the_world_gets_what_its_days_used(account_a: Account, log: list[CreditUsageLog]) -> None:
    sum_up_usage(NOW - timedelta(hours=20))
    zones = {tuple(midnights(DAYS, zone)): zone for zone in available_timezones()}
    assert {bounds[0].minute for bounds in zones} == {0, 15, 30}

    for bounds, zone in zones.items():
        assert found(account_a, bounds) == expected(log, bounds), zone


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York"])
def test_it_is_exact_wherever_the_marks_are(account_a: Account, log: list[CreditUsageLog], zone: str) -> None:
    bounds = midnights(DAYS, zone)
    right = expected(log, bounds)
    assert len(right) == 8
    sum_up_usage(NOW)
    hours = [None, *(datetime(2026, 10, day, hour, tzinfo=UTC) for day, hour in ((20, 0), (24, 18), (25, 1), (27, 9)))]
    marks = [*hours, *(datetime(2026, 10, 24, 18, minute, tzinfo=UTC) for minute in (15, 30, 45)), bounds[2]]

    for quarter, hour in product(marks, hours):
        set_mark(UsageSumMark, quarter)
        set_mark(UsageHourMark, hour)

        assert found(account_a, bounds) == right, (quarter, hour)


def test_any_quarter_can_be_a_bound_also_several_of_one_hour(account_a: Account, log: list[CreditUsageLog]) -> None:
    sum_up_usage(NOW)
    noon = datetime(2026, 10, 24, 12, tzinfo=UTC)

    for begin, end in product(range(-5, 6), range(-5, 30)):
        bounds = [noon + QUARTER * number for number in (begin, *range(begin + 1, end, 2), end) if number <= end]
        if begin < end:
            assert found(account_a, bounds) == expected(log, bounds), bounds


def test_what_was_used_since_a_moment_counts_whole_hours_too(account_a: Account, log: list[CreditUsageLog]) -> None:
    sum_up_usage(NOW)

    for seconds in (0, 1, 899, 900, 901, 2700, 3599, 3600, 3601, 40_000):
        start = datetime(2026, 10, 24, 18, tzinfo=UTC) + timedelta(seconds=seconds)
        assert used_since(account_a, start, NOW) == sum(row.credits for row in log if row.created_at >= start)


def test_sums_that_were_thrown_away_are_made_again(account_a: Account, log: list[CreditUsageLog]) -> None:
    bounds = midnights(DAYS, "Asia/Kolkata")
    right = expected(log, bounds)
    sum_up_usage(NOW)

    for gone in ([CreditUsageHour], [CreditUsageSum], [CreditUsageHour, CreditUsageSum]):
        before = rows_of(CreditUsageHour), rows_of(CreditUsageSum)
        for table in gone:
            table._default_manager.all().delete()
            (UsageHourMark if table is CreditUsageHour else UsageSumMark)._default_manager.all().delete()
        assert found(account_a, bounds) == right
        assert sum_up_usage(NOW) > 0
        assert found(account_a, bounds) == right
        assert (rows_of(CreditUsageHour), rows_of(CreditUsageSum)) == before


def rows_of(table: type[CreditUsageHour | CreditUsageSum]) -> list[dict[str, Any]]:
    rows = table._default_manager.order_by("operation_type", table._meta.get_fields()[2].name).values()
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


def test_hours_are_summed_once_they_are_over_and_settled(account_a: Account) -> None:
    at = datetime(2026, 10, 27, 8, 59, 59, tzinfo=UTC)
    CreditUsageLog.objects.create(account=account_a, operation_type="article", credits=3, created_at=at)

    sum_up_usage(datetime(2026, 10, 27, 9, 4, 59, tzinfo=UTC))
    assert not CreditUsageHour.objects.exists()
    sum_up_usage(datetime(2026, 10, 27, 9, 5, tzinfo=UTC))

    assert [(row.hour.hour, row.credits, row.operations) for row in CreditUsageHour.objects.all()] == [(8, 3, 1)]
    assert UsageHourMark.read() == UsageSumMark.read() == datetime(2026, 10, 27, 9, tzinfo=UTC)


def test_no_transaction_sums_more_than_a_month(account_a: Account, log: list[CreditUsageLog]) -> None:
    spans: list[timedelta] = []

    def watched(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO igny8_credit_usage" in sql and "GROUP BY" in sql:
            spans.append(params[1] - params[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watched):
        sum_up_usage(NOW)

    assert len(spans) > 40
    assert max(spans) == timedelta(days=31)
    assert sum(spans, timedelta(0)) > timedelta(days=2 * 600)
