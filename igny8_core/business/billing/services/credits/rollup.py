"""Sum the usage log per quarter of an hour, for analytics."""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from igny8_core.business.billing.models import UsageSumMark
from igny8_core.common import clock

# A spend gets its time when its statement is sent and is committed seconds later: an idle transaction is ended after
# 10 seconds, one that waits for a lock after 3. The rest allows for clocks that differ.
SETTLED_AFTER = timedelta(minutes=5)
SUM_UP = """
    INSERT INTO igny8_credit_usage_sums (account_id, quarter, operation_type, credits, operations)
    SELECT account_id, date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00'), operation_type,
           sum(credits), count(*)
    FROM igny8_credit_usage_log WHERE created_at >= %s AND created_at < %s
    GROUP BY 1, 2, 3
"""


def sum_up_usage(now: datetime | None = None) -> int:
    """Sum the quarters of an hour that are over; returns how many rows were created.

    Safe to repeat and to run in parallel: one conditional UPDATE moves the mark, in the same transaction as the sums.
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
