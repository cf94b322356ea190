"""Money and credits by UTC day: from the sums of days that are over, and from the rows themselves since then."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import connection

from igny8_core.business.billing.models import DailySumKind, DailySumMark

# What each row counts as, and when. Nothing is ever written here with a time of the past, so a day that is over stays.
ROWS = """
    SELECT (created_at AT TIME ZONE 'UTC')::date AS day, 'allocated' AS kind, currency, amount
    FROM igny8_allocations WHERE kind = 'money' AND created_at >= %(begin)s AND created_at < %(end)s
    UNION ALL
    SELECT (released_at AT TIME ZONE 'UTC')::date, 'released', currency, amount
    FROM igny8_allocations WHERE kind = 'money' AND released_at >= %(begin)s AND released_at < %(end)s
    UNION ALL
    SELECT (created_at AT TIME ZONE 'UTC')::date, 'given_back', currency, amount
    FROM igny8_credit_notes WHERE payment_id IS NOT NULL AND created_at >= %(begin)s AND created_at < %(end)s
    UNION ALL
    SELECT (created_at AT TIME ZONE 'UTC')::date,
           CASE WHEN transaction_type = 'usage' THEN 'used' WHEN transaction_type = 'expiry' THEN 'expired'
                WHEN amount > 0 THEN 'issued' ELSE 'taken_back' END,
           '', CASE WHEN amount > 0 AND transaction_type NOT IN ('usage', 'expiry') THEN amount ELSE -amount END
    FROM igny8_credit_transactions WHERE created_at >= %(begin)s AND created_at < %(end)s
"""
# PostgreSQL leaves out the parts of ROWS whose kind is not wanted.
BY_MONTH = f"""
    SELECT date_trunc('month', day)::date, kind, currency, sum(amount)
    FROM (
        SELECT day, kind, currency, amount FROM igny8_daily_sums WHERE day >= %(first)s AND day < %(mark)s
        UNION ALL
        SELECT * FROM ({ROWS}) rows
    ) counted
    WHERE kind = ANY(%(kinds)s)
    GROUP BY 1, 2, 3
"""  # noqa: S608 - our words only

# By month's first day, kind and currency.
Sums = dict[tuple[date, str, str], Decimal]


def midnight(day: date) -> datetime:
    """When a day begins in UTC."""
    return datetime.combine(day, time(), UTC)


def sums_by_month(first: date, end: datetime, kinds: Collection[DailySumKind]) -> Sums:
    """The sums of each month from the day `first` until the moment `end`; 0 where there is nothing."""
    mark = DailySumMark.read()
    parameters: dict[str, Any] = {
        "first": first,
        "mark": mark,
        "begin": midnight(max(first, mark)),
        "end": end,
        "kinds": [kind.value for kind in kinds],
    }
    with connection.cursor() as cursor:
        cursor.execute(BY_MONTH, parameters)
        return defaultdict(Decimal, {(month, kind, currency): total for month, kind, currency, total in cursor})
