"""What an account's credits were used for over time: the usage log by days of the account's time zone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Sum

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import CreditCostConfig, CreditUsageLog, UsageHourMark, UsageSumMark

TOP_OPERATIONS = 5
# What is looked at if nobody says from when, and the longest time that is summed at once.
USUAL_DAYS = 30
MAX_DAYS = 366
YEARS = range(2000, 2100)
CENT = Decimal("0.01")
QUARTER = timedelta(minutes=15)

# Old usage comes from the sums of hours, but for the hours that a bound cuts (in zones that differ from UTC by half
# hours, days begin in the middle of one); these, and what is not summed by hours yet, come from the sums of quarters;
# the newest usage comes from the log. `width_bucket` gives the interval of each row, so that days have 23 or 25 hours
# when the clocks change. All parts are index scans (benchmarks/usage_analytics.py prints the plan).
USED = """
    SELECT width_bucket(used.at, %(bounds)s::timestamptz[]), operation_type,
           sum(credits)::bigint, sum(operations)::bigint
    FROM (
        SELECT hour AS at, operation_type, credits, operations FROM igny8_credit_usage_hours
        WHERE account_id = %(account)s AND hour >= %(begin)s AND hour < least(%(end)s, %(hours_mark)s)
              AND hour <> ALL(%(cut_hours)s::timestamptz[])
        UNION ALL
        SELECT quarter, operation_type, credits, operations FROM igny8_credit_usage_sums
        WHERE account_id = %(account)s AND quarter = ANY(%(cut_quarters)s::timestamptz[])
        UNION ALL
        SELECT quarter, operation_type, credits, operations FROM igny8_credit_usage_sums
        WHERE account_id = %(account)s AND quarter >= greatest(%(begin)s, %(hours_mark)s)
              AND quarter < least(%(end)s, %(mark)s)
        UNION ALL
        SELECT created_at, operation_type, credits, 1 FROM igny8_credit_usage_log
        WHERE account_id = %(account)s AND created_at >= greatest(%(begin)s, %(mark)s) AND created_at < %(end)s
    ) used
    GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Used:
    """Credits and operations of one operation type in one interval; `interval` counts from 0."""

    interval: int
    operation_type: str
    credits: int
    operations: int


@dataclass(frozen=True)
class Interval:
    """A day, week or month of the series, identified by its first day."""

    start: date
    credits: int
    operations: int


@dataclass(frozen=True)
class OperationUse:
    """What one type of operation used in the whole time. `percent`: its share of all credits."""

    operation_type: str
    display_name: str
    credits: int
    operations: int
    percent: Decimal


@dataclass(frozen=True)
class Projection:
    """The credits used in the current month, and the total if usage continues at the same rate."""

    month: date
    credits_used: int
    projected_credits: int


@dataclass(frozen=True)
class Analytics:
    """What an account used from `first` to `last`, both included, in days of its time zone."""

    first: date
    last: date
    timezone: str
    granularity: str
    series: list[Interval]
    by_operation: list[OperationUse]
    projection: Projection

    @property
    def credits(self) -> int:
        """Of the whole time."""
        return sum(interval.credits for interval in self.series)

    @property
    def operations(self) -> int:
        """Of the whole time."""
        return sum(interval.operations for interval in self.series)

    @property
    def average_per_day(self) -> Decimal:
        """Credits per day, over all days that have begun."""
        return _rounded(Decimal(self.credits) / ((self.last - self.first).days + 1))

    @property
    def most_used(self) -> OperationUse | None:
        """The operation that was carried out most often; None if none was."""
        return max(self.by_operation, key=lambda use: use.operations, default=None)

    @property
    def top_operations(self) -> list[OperationUse]:
        """The operations that used the most credits."""
        return self.by_operation[:TOP_OPERATIONS]


def today_of(account: Account, now: datetime) -> date:
    """The date in the account's time zone."""
    return now.astimezone(ZoneInfo(account.timezone)).date()


def analytics(account: Account, first: date, last: date, granularity: str, now: datetime) -> Analytics:
    """What the account used from `first` to `last`; `granularity` is "day", "week" or "month"."""
    starts = starts_of(first, last, granularity)
    used = used_between(account, midnights([*starts, last + timedelta(days=1)], account.timezone))
    by_operation, projection = _by_operation(used), projection_of(account, now)
    return Analytics(first, last, account.timezone, granularity, _series(starts, used), by_operation, projection)


def used_between(account: Account, bounds: Sequence[datetime]) -> list[Used]:
    """What the account used in each interval between neighbours in `bounds` (ascending, at least two)."""
    with connection.cursor() as cursor:
        cursor.execute(USED, parameters_of(account, bounds))
        return [Used(number - 1, *rest) for number, *rest in cursor.fetchall()]


def parameters_of(account: Account, bounds: Sequence[datetime]) -> dict[str, Any]:
    """What USED asks with. Hours count only as far as quarters do: without these, an hour that is cut has no parts."""
    begin, end, mark = bounds[0], bounds[-1], UsageSumMark.read()
    hours_mark = min(UsageHourMark.read(), _hour_of(mark))
    cut = sorted({_hour_of(bound) for bound in bounds if bound != _hour_of(bound)})
    quarters = [hour + QUARTER * number for hour in cut for number in range(4) if hour < hours_mark]
    return {
        "account": account.pk,
        "bounds": list(bounds),
        "begin": begin,
        "end": end,
        "mark": mark,
        "hours_mark": hours_mark,
        "cut_hours": cut,
        "cut_quarters": [quarter for quarter in quarters if begin <= quarter < end],
    }


def used_since(account: Account, start: datetime, now: datetime) -> int:
    """The credits used from `start` until `now`. Before the first full quarter of an hour, rows are counted singly."""
    into_quarter = timedelta(minutes=start.minute % 15, seconds=start.second, microseconds=start.microsecond)
    quarter = start - into_quarter + QUARTER if into_quarter else start
    single = CreditUsageLog.objects.filter(account=account, created_at__gte=start, created_at__lt=quarter)
    counted = single.aggregate(total=Sum("credits"))["total"] or 0
    return counted + (_total(used_between(account, [quarter, now]))[0] if quarter < now else 0)


def starts_of(first: date, last: date, granularity: str) -> list[date]:
    """The first days of the days, ISO weeks or months from `first` to `last`; the first one starts with `first`."""
    starts = [first]
    while (following := _next_start(starts[-1], granularity)) <= last:
        starts.append(following)
    return starts


def midnights(days: Sequence[date], timezone: str) -> list[datetime]:
    """The moment at which each day begins in an IANA time zone, also if the clocks skip midnight."""
    zone = ZoneInfo(timezone)
    moments = [datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(ZoneInfo("UTC")) for day in days]
    # A day that a country skipped at the date line begins when the next day does, so it is empty.
    return [moments[0], *(max(before, moment) for before, moment in pairwise(moments))]


def _hour_of(moment: datetime) -> datetime:
    """The hour of UTC that a moment is in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _next_start(day: date, granularity: str) -> date:
    if granularity == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 - day.weekday() if granularity == "week" else 1)


def _total(rows: Iterable[Used]) -> tuple[int, int]:
    counted = list(rows)
    return sum(row.credits for row in counted), sum(row.operations for row in counted)


def _series(starts: list[date], used: list[Used]) -> list[Interval]:
    credits: Counter[int] = Counter()
    operations: Counter[int] = Counter()
    for row in used:
        credits[row.interval] += row.credits
        operations[row.interval] += row.operations
    return [Interval(start, credits[at], operations[at]) for at, start in enumerate(starts)]


def _by_operation(used: list[Used]) -> list[OperationUse]:
    names = dict(CreditCostConfig.objects.values_list("operation_type", "display_name"))
    everything = _total(used)[0]
    uses = []
    for kind in {row.operation_type for row in used}:
        credits_used, operations = _total(row for row in used if row.operation_type == kind)
        percent = _rounded(Decimal(100 * credits_used) / everything)
        uses.append(OperationUse(kind, names.get(kind, kind), credits_used, operations, percent))
    return sorted(uses, key=lambda use: (-use.credits, use.operation_type))


def projection_of(account: Account, now: datetime) -> Projection:
    """What the account used in the month of `now`, and how much that will be if it goes on."""
    month = today_of(account, now).replace(day=1)
    begin, end = midnights([month, _next_start(month, "month")], account.timezone)
    used = _total(used_between(account, [begin, end]))[0]
    passed = max(1, (now.astimezone(UTC) - begin) // timedelta(seconds=1))
    whole = (end - begin) // timedelta(seconds=1)
    return Projection(month, used, (2 * used * whole + passed) // (2 * passed))


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(CENT, rounding=ROUND_HALF_UP)
