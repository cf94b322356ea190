"""Rate limits that hold over all processes and machines. Counted in Redis if there is one, else in PostgreSQL.

docs/adr/0003-rate-limits-in-postgresql.md says why each of the two is safe.
"""

import hashlib
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from igny8_core.common import clock
from igny8_core.common.models import RateCounter
from igny8_core.common.security_log import security_event

logger = logging.getLogger(__name__)

# Short, because counting must not cost a request more time than the limit protects.
REDIS_TIMEOUT_SECONDS = 0.5
RATE_PATTERN = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)?(second|minute|hour|day)s?")
UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

COUNT_HIT = """
    INSERT INTO igny8_rate_counters (key, window_start, count) VALUES (%s, %s, 1)
    ON CONFLICT (key, window_start) DO UPDATE SET count = igny8_rate_counters.count + 1
    RETURNING count
"""


@dataclass(frozen=True)
class Rate:
    """At most `limit` hits in each window of `seconds`."""

    text: str
    limit: int
    seconds: int


def parse_rate(text: str) -> Rate:
    """Read a rate such as "10/minute" or "5/15minutes". Raises ImproperlyConfigured."""
    match = RATE_PATTERN.fullmatch(text)
    if not match:
        raise ImproperlyConfigured(f"{text!r} in RATE_LIMITS is not a rate. Examples: 10/minute, 5/15minutes.")
    return Rate(text, int(match[1]), int(match[2] or 1) * UNIT_SECONDS[match[3]])


def rates_of(scope: str) -> list[Rate]:
    """The rates of `scope` in settings.RATE_LIMITS. Raises ImproperlyConfigured if there are none."""
    rates = settings.RATE_LIMITS.get(scope)
    if not rates:
        raise ImproperlyConfigured(f"RATE_LIMITS has no rates for the scope {scope!r}.")
    return [parse_rate(rate) for rate in rates]


def seconds_to_wait(scope: str, caller: str) -> int | None:
    """Count a request of `caller`. Returns None if all rates of `scope` allow it, else the seconds to wait.

    Windows start at fixed times, so a wait always ends. A request that a short window refuses does not count in a
    longer one, so nobody can lock another person out for long with many fast requests.
    """
    now = clock.now().timestamp()
    for rate in sorted(rates_of(scope), key=lambda rate: rate.seconds):
        start = int(now // rate.seconds) * rate.seconds
        if _count_hit(_key(scope, rate, caller), start, rate.seconds) > rate.limit:
            security_event("excess_rate_limit_exceeded", "denied", scope=scope, rate=rate.text, counted=_kind(caller))
            return start + rate.seconds - int(now)
    return None


def _kind(caller: str) -> str:
    """What was counted: network, email, user or invoice; of the first alone the log tells which (its own field)."""
    return caller.partition(" ")[0]


def forget_old_windows() -> int:
    """Delete the counters of past windows. Returns how many."""
    longest = max((rate.seconds for scope in settings.RATE_LIMITS for rate in rates_of(scope)), default=0)
    oldest = clock.now() - timedelta(seconds=longest)
    deleted, _ = RateCounter.objects.filter(window_start__lt=oldest).delete()
    return deleted


def _key(scope: str, rate: Rate, caller: str) -> str:
    return hashlib.sha256(f"{scope}|{rate.text}|{caller}".encode()).hexdigest()


def _count_hit(key: str, start: int, seconds: int) -> int:
    if settings.REDIS_URL:
        try:
            return _count_in_redis(key, start, seconds)
        except redis.RedisError as error:
            # Without Redis we count in the database; counters restart.
            logger.warning("rate limits are counted in the database: %s", type(error).__name__)
    return _count_in_database(key, start)


def _count_in_redis(key: str, start: int, seconds: int) -> int:
    name = f"igny8:rate:{key}:{start}"
    with _redis(settings.REDIS_URL).pipeline(transaction=True) as steps:
        steps.incr(name)
        # Kept a minute longer than the window, because clocks differ.
        steps.expire(name, seconds + 60)
        count, _ = steps.execute()
    return int(count)


@lru_cache
def _redis(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS)


def _count_in_database(key: str, start: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_HIT, [key, datetime.fromtimestamp(start, UTC)])
        (count,) = cursor.fetchone()
    return int(count)
