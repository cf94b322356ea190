"""Password hashers that limit how many hashes one process computes at once.

Argon2 is slow on purpose: it takes 100 MiB and every core for a tenth of a second. Without a limit, a burst of logins
would take the memory and the time of all other requests. With it, logins wait for their turn; after some seconds they
are refused and told to try again.
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
    """Wait for a turn to hash. Raises PasswordsBusy after settings.PASSWORD_HASH_PATIENCE_SECONDS."""
    if _has_turn.get():  # Django's verify() calls encode(), which must not wait for a second turn
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
    """Django's Argon2 hasher, limited by a_turn()."""

    def encode(self, password: str, salt: str) -> str:
        with a_turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with a_turn():
            return super().verify(password, encoded)


class BoundedPBKDF2(PBKDF2PasswordHasher):
    """Django's PBKDF2 hasher, which older hashes were made with, limited by a_turn()."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with a_turn():
            return super().encode(password, salt, iterations)

    def verify(self, password: str, encoded: str) -> bool:
        with a_turn():
            return super().verify(password, encoded)
