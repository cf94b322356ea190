"""Sum the usage log per quarter of an hour and per hour, for analytics."""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from igny8_core.business.billing.models import FIRST_MARK, SumMark, UsageHourMark, UsageSumMark
from igny8_core.common import clock

# A spend gets its time when its statement is sent and is committed seconds later: an idle transaction is ended after
# 10 seconds, one that waits for a lock after 3. The rest allows for clocks that differ.
SETTLED_AFTER = timedelta(minutes=5)
# As much is summed in one transaction, so that the first run over years of usage is made of short ones.
AT_ONCE = timedelta(days=31)
QUARTERS = """
    INSERT INTO igny8_credit_usage_sums (account_id, quarter, operation_type, credits, operations)
    SELECT account_id, date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00'), operation_type,
           sum(credits), count(*)
    FROM igny8_credit_usage_log WHERE created_at >= %s AND created_at < %s
    GROUP BY 1, 2, 3
"""
HOURS = """
    INSERT INTO igny8_credit_usage_hours (account_id, hour, operation_type, credits, operations)
    SELECT account_id, date_bin('1 hour', created_at, '2000-01-01 00:00:00+00'), operation_type,
           sum(credits), count(*)
    FROM igny8_credit_usage_log WHERE created_at >= %s AND created_at < %s
    GROUP BY 1, 2, 3
"""


def sum_up_usage(now: datetime | None = None) -> int:
    """Sum the quarters and the hours that are over; returns how many rows were created."""
    over = ((now or clock.now()) - SETTLED_AFTER).astimezone(UTC)
    quarter = over.replace(minute=over.minute // 15 * 15, second=0, microsecond=0)
    return _sum_up(UsageSumMark, QUARTERS, quarter) + _sum_up(UsageHourMark, HOURS, quarter.replace(minute=0))


def _sum_up(mark: type[SumMark], statement: str, end: datetime) -> int:
    created = 0
    while (rows := _sum_up_next(mark, statement, end)) is not None:
        created += rows
    return created


def _sum_up_next(mark: type[SumMark], statement: str, end: datetime) -> int | None:
    """Sum what follows the mark; returns how many rows were created, None if there is nothing left to sum.

    Safe to repeat and to run in parallel: one conditional UPDATE moves the mark, in the same transaction as the sums.
    """
    with transaction.atomic():
        row, _ = mark._default_manager.get_or_create(pk=1, defaults={"summed_up_to": FIRST_MARK})
        begin, until = row.summed_up_to, min(row.summed_up_to + AT_ONCE, end)
        unmoved = mark._default_manager.filter(summed_up_to=begin, summed_up_to__lt=until)
        if not unmoved.update(summed_up_to=until):
            return None
        with connection.cursor() as cursor:
            cursor.execute(statement, [begin, until])
            return int(cursor.rowcount)
