"""Hashing of passwords: slow on purpose, so only a few at a time in one process.

Argon2 takes 100 MiB and every core for a tenth of a second. Without a bound a burst of logins takes the memory and the
time of all other requests; with it they wait for a moment, and who would wait for long is told to come back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

from igny8_core.auth.errors import PasswordsBusy

RETRY_AFTER_SECONDS = 5

turns = BoundedSemaphore(settings.PASSWORD_HASHES_AT_ONCE)
_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


@contextmanager
def a_turn() -> Iterator[None]:
    """Wait until fewer than the allowed number are at work in this process. Raises PasswordsBusy after some seconds."""
    if _has_turn.get():  # one hasher's check is made of another of its methods
        yield
        return
    if not turns.acquire(timeout=settings.PASSWORD_HASH_PATIENCE_SECONDS):
        raise PasswordsBusy(retry_after=RETRY_AFTER_SECONDS)
    mark = _has_turn.set(True)
    try:
        yield
    finally:
        _has_turn.reset(mark)
        turns.release()


class BoundedArgon2(Argon2PasswordHasher):
    """Django's Argon2, a bounded number at once."""

    def encode(self, password: str, salt: str) -> str:
        with a_turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with a_turn():
            return super().verify(password, encoded)


class BoundedPBKDF2(PBKDF2PasswordHasher):
    """Django's PBKDF2, which older hashes are made with, a bounded number at once."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with a_turn():
            return super().encode(password, salt, iterations)

    def verify(self, password: str, encoded: str) -> bool:
        with a_turn():
            return super().verify(password, encoded)
