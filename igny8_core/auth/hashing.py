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
# Who hashes or waits for a turn. The web server's processes have a limit (gunicorn_config.py): one thread of each stays
# for requests without a password, also when somebody sends logins all day.
crowd = BoundedSemaphore(1_000_000)


def set_threads(threads: int) -> None:
    """The process has so many threads: all but one may hash or wait, in any case as many as hash at once."""
    global crowd
    crowd = BoundedSemaphore(max(settings.PASSWORD_HASHES_AT_ONCE, threads - 1))


_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


@contextmanager
def a_turn() -> Iterator[None]:
    """Wait for a turn to hash. Raises PasswordsBusy after settings.PASSWORD_HASH_PATIENCE_SECONDS, or in a crowd."""
    if _has_turn.get():  # Django's verify() calls encode(), which must not wait for a second turn
        yield
        return
    among = crowd
    if not among.acquire(blocking=False):
        raise PasswordsBusy(retry_after=RETRY_AFTER_SECONDS)
    try:
        if not turns.acquire(timeout=settings.PASSWORD_HASH_PATIENCE_SECONDS):
            raise PasswordsBusy(retry_after=RETRY_AFTER_SECONDS)
        mark = _has_turn.set(True)
        try:
            yield
        finally:
            _has_turn.reset(mark)
            turns.release()
    finally:
        among.release()


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
