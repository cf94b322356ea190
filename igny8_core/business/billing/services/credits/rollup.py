"""Summing the usage log per quarter of an hour, for analytics."""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from igny8_core.business.billing.models import UsageSumMark
from igny8_core.common import clock

# A spend's time is taken when its statement is sent, and it is committed seconds later at most: a transaction that
# idles is ended after 10 seconds, and one that waits for a lock after 3. The rest is for clocks that differ.
SETTLED_AFTER = timedelta(minutes=5)
SUM_UP = """
    INSERT INTO igny8_credit_usage_sums (account_id, quarter, operation_type, credits, operations)
    SELECT account_id, date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00'), operation_type,
           sum(credits), count(*)
    FROM igny8_credit_usage_log WHERE created_at >= %s AND created_at < %s
    GROUP BY 1, 2, 3
"""


def sum_up_usage(now: datetime | None = None) -> int:
    """Sum the quarters of an hour that are over; returns how many rows were made.

    Safe to run twice or at once: the mark is moved by one conditional UPDATE, with the sums in its transaction.
    """
    end = _quarter((now or clock.now()) - SETTLED_AFTER)
    with transaction.atomic():
        begin = UsageSumMark.read()
        UsageSumMark.objects.bulk_create([UsageSumMark(pk=1, summed_up_to=begin)], ignore_conflicts=True)
        moved = UsageSumMark.objects.filter(summed_up_to=begin, summed_up_to__lt=end).update(summed_up_to=end)
        if not moved:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(SUM_UP, [begin, end])
            return int(cursor.rowcount)


def _quarter(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)
