"""How often each limit refused something, hour by hour, so that operators see it: console, /metrics.

A process collects what it refuses and writes once a second at most: who floods us with refused requests must not make
each of them cost a statement.
"""

import logging
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Lock

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Sum

from igny8_core.common import clock
from igny8_core.common.models import LimitHit

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=90)
# The hour of the row that sums up all hours that were forgotten, so that totals never fall.
BEFORE = datetime(1970, 1, 1, tzinfo=UTC)
WRITTEN_EVERY_SECONDS = 1.0

WRITE = """
    INSERT INTO igny8_limit_hits ("limit", hour, count)
    SELECT name, %s, hits FROM unnest(%s::text[], %s::integer[]) AS noted (name, hits)
    ON CONFLICT ("limit", hour) DO UPDATE SET count = igny8_limit_hits.count + EXCLUDED.count
"""

# One statement: what is deleted is what is added.
SUM_UP = """
    WITH gone AS (
        DELETE FROM igny8_limit_hits WHERE hour > %s AND hour < %s RETURNING "limit", count
    ), added AS (
        INSERT INTO igny8_limit_hits ("limit", hour, count)
        SELECT "limit", %s, sum(count) FROM gone GROUP BY "limit"
        ON CONFLICT ("limit", hour) DO UPDATE SET count = igny8_limit_hits.count + EXCLUDED.count
    )
    SELECT count(*) FROM gone
"""

_waiting: Counter[str] = Counter()
_lock = Lock()
_written_at = 0.0


def note(limit: str) -> None:
    """Count that `limit` refused something now."""
    with _lock:
        _waiting[limit] += 1
    write_due()


def write_due() -> None:
    """Write what was collected, if the last time is a second ago. Costs nothing while nothing is refused."""
    if _waiting and time.monotonic() - _written_at >= WRITTEN_EVERY_SECONDS:
        write()


def write() -> None:
    """Write what was collected. While the database is away it is kept for the next time."""
    global _written_at
    with _lock:
        noted = dict(sorted(_waiting.items()))
        _waiting.clear()
        _written_at = time.monotonic()
    if not noted:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(WRITE, [_this_hour(), list(noted), list(noted.values())])
    except (DatabaseError, InterfaceError) as error:
        logger.warning("limits hit are not written: %s", type(error).__name__)
        with _lock:
            _waiting.update(noted)


def forget() -> None:
    """Drop what this process has collected and not written."""
    with _lock:
        _waiting.clear()


def of_this_hour(limit: str) -> LimitHit:
    """The row of a limit for this hour."""
    row, _ = LimitHit.objects.get_or_create(limit=limit, hour=_this_hour(), defaults={"count": 0})
    return row


def totals() -> dict[str, int]:
    """By limit: how often it has refused something, ever."""
    write()
    return dict(LimitHit.objects.order_by("limit").values_list("limit").annotate(total=Sum("count")))


def forget_old_hits() -> int:
    """Sum up what is older than 90 days in one row for each limit. Returns how many hours are gone."""
    with connection.cursor() as cursor:
        cursor.execute(SUM_UP, [BEFORE, clock.now() - KEPT_FOR, BEFORE])
        return int(cursor.fetchone()[0])


def _this_hour() -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0)
