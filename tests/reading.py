"""What a Reading finds, by each of its two statements."""

from typing import Any

from igny8_core.auth.callers import Caller, Reading, caller_of_session
from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.services.sessions import open_session


def with_session(reading: Reading, user: User) -> list[tuple[Any, ...]]:
    """By the statement that also finds the session."""
    LoginSession.objects.filter(user=user).delete()
    open_session(user)
    found = caller_of_session(LoginSession.objects.get(user=user).pk, reading=reading)
    assert found
    assert found.caller.read is reading.read
    return reading.rows(found.caller)


def alone(reading: Reading, user: User) -> list[tuple[Any, ...]]:
    """For who is known already, from the cookie of a page."""
    return reading.rows(Caller.of(user))
