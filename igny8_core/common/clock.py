"""The only source of wall time. SQL takes the time as a parameter; tests/test_conventions.py refuses any other source.

With one source, tests and demos can move the time of the whole application. It is the time of the machine that asks.
Clocks of different machines can be apart, usually by much less than a second; our rules tolerate a minute. Leases last
minutes. Where two machines must not do the same thing, a lock, a constraint or a conditional UPDATE decides, never a
comparison of times. Ids give the order of events.

Not covered: durations, which time.monotonic measures, and what libraries read by themselves (the lifetime of a login
token, the age of a gateway's signature). Those protect against attackers and must be real time.
"""

from datetime import UTC, date, datetime

_stands_at: datetime | None = None


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return _stands_at or datetime.now(UTC)


def today() -> date:
    """The current day in UTC. For an account's day, convert now() to its time zone."""
    return now().date()


def stand_at(moment: datetime | None) -> None:
    """Let the time of this process stand at a moment, as a simulation does; None: let it go on.

    Processes that are forked from this one stand there too. Raises ValueError for a moment without a time zone.
    """
    global _stands_at
    if moment is not None and moment.utcoffset() is None:
        raise ValueError("The moment needs a time zone, for example datetime(2027, 1, 31, tzinfo=UTC).")
    _stands_at = moment.astimezone(UTC) if moment else None
