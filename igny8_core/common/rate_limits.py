"""Rate limits that hold over all processes and machines. Counted in Redis if there is one, else in PostgreSQL (FLT-10).

docs/adr/0003-rate-limits-in-postgresql.md says why each of the two is safe.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from igny8_core.common import clock, limit_hits
from igny8_core.common.models import RateCounter
from igny8_core.common.network import Network
from igny8_core.common.security_log import security_event

logger = logging.getLogger(__name__)

# Short, because counting must not cost a request more time than the limit protects.
REDIS_TIMEOUT_SECONDS = 0.5
RATE_PATTERN = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)?(second|minute|hour|day)s?")
UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

# One step counts what is sent with it; the next one counts only what the one before it lets through.
FIRST_STEP = """
    step0 AS (
        INSERT INTO igny8_rate_counters (key, window_start, count) VALUES (%s, %s, 1)
        ON CONFLICT (key, window_start) DO UPDATE SET count = igny8_rate_counters.count + 1
        RETURNING count
    )
"""
NEXT_STEP = """
    step{number} AS (
        INSERT INTO igny8_rate_counters (key, window_start, count) SELECT %s, %s, 1 FROM step{before} WHERE count <= %s
        ON CONFLICT (key, window_start) DO UPDATE SET count = igny8_rate_counters.count + 1
        RETURNING count
    )
"""
ADD = """
    INSERT INTO igny8_rate_counters (key, window_start, count) VALUES (%s, %s, %s)
    ON CONFLICT (key, window_start) DO UPDATE SET count = igny8_rate_counters.count + EXCLUDED.count
    RETURNING count
"""
# Locks the counters in the order in which they were counted: an UPDATE alone takes them in any order, and two tries
# would wait for each other for ever.
GIVE_BACK = """
    WITH locked AS (
        SELECT id FROM igny8_rate_counters
        JOIN unnest(%s::text[], %s::timestamptz[]) WITH ORDINALITY AS step (key, window_start, number)
        USING (key, window_start)
        ORDER BY number
        FOR UPDATE OF igny8_rate_counters
    )
    UPDATE igny8_rate_counters AS counter SET count = count - 1 FROM locked
    WHERE counter.id = locked.id AND counter.count > 0
"""
# The same steps in Redis: KEYS are the counters, ARGV the limit and lifetime of each. Answers the first one that is
# over its limit, 0 for none.
STEPS_IN_REDIS = """
    for number, key in ipairs(KEYS) do
        local count = redis.call('INCR', key)
        redis.call('EXPIRE', key, ARGV[2 * number])
        if count > tonumber(ARGV[2 * number - 1]) then return number end
    end
    return 0
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


class Step(NamedTuple):
    """One counter of one window, and how many hits it lets through. `caller` is whose hits it counts."""

    key: str
    start: int
    seconds: int
    limit: int
    rate: str
    caller: str


@dataclass(frozen=True)
class Counted:
    """What `count` counted: the counters, and the seconds to wait where one of them was over its limit."""

    steps: tuple[Step, ...]
    wait: int | None


def seconds_to_wait(scope: str, *callers: str | Network) -> int | None:
    """Count a request. Returns None if all rates of `scope` allow it to all `callers`, else the seconds to wait.

    A caller is a text, or a network, which may do `times` as much. Narrow ones come first: what they refuse is not
    counted for the wider ones, so that one customer's script uses up nothing of what others share with them.
    Windows start at fixed times, so a wait always ends. A request that a short window refuses does not count in a
    longer one, so nobody can lock another person out for long with many fast requests.
    """
    return count(scope, *callers).wait


def count(scope: str, *callers: str | Network) -> Counted:
    """As `seconds_to_wait`; the result can be given back."""
    now = clock.now().timestamp()
    steps = tuple(_steps(scope, callers, now))
    refused = _first_over(steps)
    if refused is None:
        return Counted(steps, None)
    limit_hits.note(scope)
    step = steps[refused]
    security_event("excess_rate_limit_exceeded", "denied", scope=scope, rate=step.rate, counted=_kind(step.caller))
    return Counted(steps[: refused + 1], step.start + step.seconds - int(now))


def give_back(counted: Counted) -> None:
    """Take back a hit that turned out not to count, such as a login with the right password."""
    if settings.REDIS_URL:
        try:
            with _redis(settings.REDIS_URL).pipeline(transaction=True) as commands:
                for step in counted.steps:
                    commands.decr(_name(step))
                commands.execute()
            return
        except redis.RedisError as error:
            _note_redis_away(error)
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, [[step.key for step in counted.steps], [_began(step) for step in counted.steps]])


def forget(scope: str, caller: str) -> None:
    """Let a caller begin anew in all windows that are running."""
    now = clock.now().timestamp()
    steps = list(_steps(scope, [caller], now))
    if settings.REDIS_URL:
        try:
            _redis(settings.REDIS_URL).delete(*(_name(step) for step in steps))
        except redis.RedisError as error:
            _note_redis_away(error)
    for step in steps:
        RateCounter.objects.filter(key=step.key).delete()


def add(scope: str, rate: Rate, caller: str, hits: int) -> int:
    """Add hits that a process has counted by itself. Returns how many all processes have in the running window."""
    now = clock.now().timestamp()
    step = _step(scope, rate, caller, 1, now)
    if settings.REDIS_URL:
        try:
            with _redis(settings.REDIS_URL).pipeline(transaction=True) as commands:
                commands.incrby(_name(step), hits)
                commands.expire(_name(step), rate.seconds + 60)
                return int(commands.execute()[0])
        except redis.RedisError as error:
            _note_redis_away(error)
    with connection.cursor() as cursor:
        cursor.execute(ADD, [step.key, _began(step), hits])
        return int(cursor.fetchone()[0])


def _kind(caller: str) -> str:
    """What was counted: network, email, user or invoice; of the first alone the log tells which (its own field)."""
    return caller.partition(" ")[0]


def forget_old_windows() -> int:
    """Delete the counters of past windows. Returns how many."""
    longest = max((rate.seconds for scope in settings.RATE_LIMITS for rate in rates_of(scope)), default=0)
    oldest = clock.now() - timedelta(seconds=longest)
    deleted, _ = RateCounter.objects.filter(window_start__lt=oldest).delete()
    return deleted


def _steps(scope: str, callers: Sequence[str | Network], now: float) -> Iterable[Step]:
    rates = sorted(rates_of(scope), key=lambda rate: rate.seconds)
    for caller in callers:
        name, times = (f"network {caller.name}", caller.times) if isinstance(caller, Network) else (caller, 1)
        for rate in rates:
            yield _step(scope, rate, name, times, now)


def _step(scope: str, rate: Rate, caller: str, times: int, now: float) -> Step:
    key = hashlib.sha256(f"{scope}|{rate.text}|{caller}".encode()).hexdigest()
    return Step(key, int(now // rate.seconds) * rate.seconds, rate.seconds, rate.limit * times, rate.text, caller)


def _first_over(steps: Sequence[Step]) -> int | None:
    if settings.REDIS_URL:
        try:
            return _first_over_in_redis(steps)
        except redis.RedisError as error:
            _note_redis_away(error)
    return _first_over_in_database(steps)


def _first_over_in_database(steps: Sequence[Step]) -> int | None:
    # One statement whatever the number of counters. All callers lock rows in the same order, narrow before wide.
    parts = [FIRST_STEP, *(NEXT_STEP.format(number=number, before=number - 1) for number in range(1, len(steps)))]
    results = " UNION ALL ".join(f"SELECT {number}, count FROM step{number}" for number in range(len(steps)))  # noqa: S608
    parameters: list[str | int | datetime] = [steps[0].key, _began(steps[0])]
    for before, step in pairwise(steps):
        parameters += [step.key, _began(step), before.limit]
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {','.join(parts)} {results} ORDER BY 1", parameters)
        counts = [int(count) for _, count in cursor.fetchall()]
    return next((number for number, found in enumerate(counts) if found > steps[number].limit), None)


def _first_over_in_redis(steps: Sequence[Step]) -> int | None:
    names = [_name(step) for step in steps]
    # Kept a minute longer than the window, because clocks differ.
    bounds = [number for step in steps for number in (step.limit, step.seconds + 60)]
    first: int = _redis(settings.REDIS_URL).eval(STEPS_IN_REDIS, len(names), *names, *bounds)
    return int(first) - 1 if first else None


def _name(step: Step) -> str:
    return f"igny8:rate:{step.key}:{step.start}"


def _began(step: Step) -> datetime:
    return datetime.fromtimestamp(step.start, UTC)


def _note_redis_away(error: redis.RedisError) -> None:
    # Without Redis we count in the database; counters restart.
    logger.warning("rate limits are counted in the database: %s", type(error).__name__)


@lru_cache
def _redis(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS)
