"""Usage analytics of an account with a million rows in its usage log, in a year and in a month; prints the plan."""

import re
import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import bench

ROWS, ACCOUNT, OTHERS = 1_000_000, 1, 19
GOAL = 200  # milliseconds
# A year of an account that does something every 31 seconds, day and night, with six operations; as much of others.
FILL = """
    INSERT INTO igny8_credit_usage_log (account_id, operation_type, credits, metadata, created_at)
    SELECT CASE WHEN number %% 2 = 0 THEN %(account)s ELSE %(account)s + 1 + number %% %(others)s END,
           (ARRAY['article', 'image', 'keyword', 'audit', 'summary', 'translation'])[1 + number / 2 %% 6],
           1 + number %% 9, '{}', now() - number * interval '15.75 seconds'
    FROM generate_series(2 * %(rows)s, 1, -1) AS number
"""


def main() -> None:
    setup = bench.prepare(__doc__)
    build()
    from django.utils import timezone

    from igny8_core.auth.models import Account
    from igny8_core.business.billing.usage import analytics, today_of

    account, now = Account.objects.get(pk=ACCOUNT), timezone.now()
    account.timezone = "Europe/Berlin"
    today = today_of(account, now)
    year, month = today - timedelta(days=365), today - timedelta(days=29)
    for name, first in (("366 days", year), ("30 days", month)):
        took = milliseconds(lambda first=first: analytics(account, first, today, "day", now), setup.repeats)
        print(f"{name}: median {took[0]:.0f} ms, slowest {took[1]:.0f} ms, goal {GOAL} ms", flush=True)
    explain(account, year, today)


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


def milliseconds(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median and longest time of a call, after one that is not counted."""
    call()
    took = []
    for _ in range(max(5, repeats)):
        started = time.perf_counter()
        call()
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took), max(took)


def explain(account: Any, first: date, last: date) -> None:
    """Print how PostgreSQL reads the year."""
    from django.db import connection

    from igny8_core.business.billing import usage

    bounds = usage.midnights([*usage.starts_of(first, last, "day"), last + timedelta(days=1)], "Europe/Berlin")
    parameters = {"account": account.pk, "bounds": bounds, "begin": bounds[0], "end": bounds[-1]}
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {usage.USED}", parameters | {"mark": usage.UsageSumMark.read()}
        )
        for (line,) in cursor.fetchall():
            print(re.sub(r"'{[^}]*}'", "'{366 midnights}'", line))


if __name__ == "__main__":
    main()
