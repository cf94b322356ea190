"""Usage analytics of an account with a million rows in its usage log, in a year and in a month; prints the plan.

In zones whose days begin with an hour of UTC, and in one whose days begin in the middle of one.
"""

import re
import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import bench

ROWS, ACCOUNT, OTHERS = 1_000_000, 1, 19
GOAL = 100  # milliseconds
ZONES = ("UTC", "Asia/Kolkata", "America/New_York")
# A year of an account that does something every 31 seconds, day and night, with six operations; as much of others.
FILL = """
    INSERT INTO igny8_credit_usage_log (account_id, operation_type, credits, metadata, created_at)
    SELECT CASE WHEN number %% 2 = 0 THEN %(account)s ELSE %(account)s + 1 + number %% %(others)s END,
           (ARRAY['article', 'image', 'keyword', 'audit', 'summary', 'translation'])[1 + number / 2 %% 6],
           1 + number %% 9, '{}', now() - number * interval '15.75 seconds'
    FROM generate_series(2 * %(rows)s, 1, -1) AS number
"""


def main() -> None:
    setup = bench.prepare(__doc__ or "")
    build()
    from django.utils import timezone

    from igny8_core.auth.models import Account
    from igny8_core.business.billing.usage import analytics, today_of

    account, now = Account.objects.get(pk=ACCOUNT), timezone.now()
    for account.timezone in ZONES:
        today = today_of(account, now)
        for days in (366, 30):
            first = today - timedelta(days=days - 1)

            def call(first: date = first, today: date = today) -> object:
                return analytics(account, first, today, "day", now)

            clock, processor = milliseconds(call, setup.repeats)
            print(
                f"{days} days in {account.timezone}: median {statistics.median(clock):.0f} ms by the clock "
                f"(slowest {max(clock):.0f}), {statistics.median(processor):.0f} ms of processor time, goal {GOAL} ms",
                flush=True,
            )
    for account.timezone in ZONES[:2]:
        explain(account, today_of(account, now))


def build() -> None:
    """A million rows of one account and a million of others, summed up to now."""
    from django.db import connection

    from igny8_core.business.billing.services.credits.rollup import sum_up_usage

    bench.make_accounts(range(ACCOUNT, ACCOUNT + OTHERS + 1))
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"account": ACCOUNT, "others": OTHERS, "rows": ROWS})
    started = time.perf_counter()
    sums = sum_up_usage()
    print(f"{2 * ROWS:,} rows summed to {sums:,} in {time.perf_counter() - started:.1f} s")
    bench.analyze()


def milliseconds(call: Callable[[], object], repeats: int) -> tuple[list[float], list[float]]:
    """The times of a call by the clock and of this process's processor, after one call that is not counted."""
    call()
    clock, processor = [], []
    for _ in range(max(5, repeats)):
        began, used = time.perf_counter(), time.process_time()
        call()
        clock.append((time.perf_counter() - began) * 1000)
        processor.append((time.process_time() - used) * 1000)
    return clock, processor


def explain(account: Any, last: date) -> None:
    """Print how PostgreSQL reads the year until `last`."""
    from django.db import connection

    from igny8_core.business.billing import usage

    starts = usage.starts_of(last - timedelta(days=365), last, "day")
    bounds = usage.midnights([*starts, last + timedelta(days=1)], account.timezone)
    print(f"\n{account.timezone}")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {usage.USED}", usage.parameters_of(account, bounds))
        for (line,) in cursor.fetchall():
            print(re.sub(r"'{[^}]*}'", "'{…}'", line))


if __name__ == "__main__":
    main()
