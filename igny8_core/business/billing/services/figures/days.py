"""Sum money and credits per day of UTC, for the operators' dashboard."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from igny8_core.business.billing.daily_sums import ROWS, midnight
from igny8_core.business.billing.models import DailySumMark
from igny8_core.common import clock

# As for the usage log (credits/rollup): rows get their time when they are written, and are committed seconds later.
SETTLED_AFTER = timedelta(minutes=5)
SUM_UP = f"""
    INSERT INTO igny8_daily_sums (day, kind, currency, amount)
    SELECT day, kind, currency, sum(amount) FROM ({ROWS}) rows GROUP BY 1, 2, 3
"""  # noqa: S608 - our words only


def sum_up_days(now: datetime | None = None) -> int:
    """Sum the days that are over; returns how many rows were created.

    Safe to repeat and to run in parallel: one conditional UPDATE moves the mark, in the same transaction as the sums.
    """
    end = ((now or clock.now()) - SETTLED_AFTER).date()
    with transaction.atomic():
        begin = DailySumMark.read()
        DailySumMark.objects.bulk_create([DailySumMark(pk=1, day=begin)], ignore_conflicts=True)
        if not DailySumMark.objects.filter(day=begin, day__lt=end).update(day=end):
            return 0
        with connection.cursor() as cursor:
            cursor.execute(SUM_UP, {"begin": midnight(begin), "end": midnight(end)})
            return int(cursor.rowcount)
