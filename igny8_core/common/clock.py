"""The only source of wall time. SQL takes the time as a parameter; tests/test_conventions.py refuses any other source.

One seam, so that all of the application agrees on what time it is, also where somebody moves it. It is the time of the
machine that asks, and machines differ by as much as their clocks are apart: well under a second where NTP runs. What
depends on it bears a minute. Leases last minutes, and what two machines must not both do is decided by a lock, a
constraint or a conditional update, never by comparing times; the order of what happened is that of the ids.

Not the clock: durations, which time.monotonic measures, and what libraries look at by themselves (the lifetime of a
login token, the age of a gateway's signature), which protects against people and has to be real time.
"""

from datetime import UTC, date, datetime


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The day in UTC; for the day of an account take now() in its time zone."""
    return now().date()
