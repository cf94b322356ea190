"""Keeps a gateway that does not answer from holding everybody up (FLT-13).

- A gateway that gave no answer several times in a row is left alone for a while. Who asks meanwhile is told so at once.
- At most half of a process's threads wait for gateways, all of them together, so that the others go on serving.
- Within a request gateways get 15 seconds together. A worker's job may take longer.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from igny8_core.business.billing.gateways import patience
from igny8_core.business.billing.gateways.protocol import GatewayError, Unavailable
from igny8_core.common.marks import gettext_noop

logger = logging.getLogger(__name__)

FAILURES_BEFORE_REST = 3
# How many seconds it rests after the first failure too many, after the second and so on; the last one is kept up.
RESTS = (10, 20, 40, 60)
# These ask nobody: they look at what a message brings along.
WITHOUT_NETWORK = frozenset({"verify_webhook", "read_webhook", "delivery_id"})
RESTING = gettext_noop("This payment service has not answered for a while. Nothing was sent to it.")
CROWDED = gettext_noop("Too many requests wait for payment services at the moment. Nothing was sent.")
CROWDED_RETRY_SECONDS = 5
# A gateway that says so is there.
BUSY_CODES = frozenset({"rate_limit", "RATE_LIMIT_REACHED"})


class Places:
    """How many threads of this process may wait for gateways at once."""

    def __init__(self, count: int) -> None:
        self._lock, self._count, self._taken = threading.Lock(), count, 0

    def set_threads(self, threads: int) -> None:
        """The process has so many threads; half of them may wait."""
        self._count = max(1, threads // 2)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place for the block. Raises Unavailable at once if there is none."""
        with self._lock:
            if self._taken >= self._count:
                raise Unavailable(CROWDED, code="crowded", may_have_happened=False, retry_after=CROWDED_RETRY_SECONDS)
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1


# As gunicorn_config.py sets the threads, which tells the real number (post_worker_init).
PLACES = Places(2)


class Turnstile:
    """A gateway that is asked only while it answers. Everything else is the gateway's own."""

    def __init__(self, gateway: Any, timer: Callable[[], float] = time.monotonic) -> None:
        self._gateway, self._timer = gateway, timer
        self._lock = threading.Lock()
        self._failures = 0
        self._rests_until = 0.0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._gateway, name)
        return partial(self._ask, found) if callable(found) and name not in WITHOUT_NETWORK else found

    def _ask(self, question: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._refuse_while_resting()
        with PLACES.one(), patience.for_a_call():
            try:
                answer = question(*args, **kwargs)
            except Unavailable as problem:
                if problem.code not in BUSY_CODES:
                    self._note_failure()
                raise
            except GatewayError:
                self._note_answer()
                raise
        self._note_answer()
        return answer

    def _refuse_while_resting(self) -> None:
        with self._lock:
            left = self._rests_until - self._timer()
            if left > 0:
                raise Unavailable(RESTING, code="resting", may_have_happened=False, retry_after=int(left) + 1)
            if self._failures >= FAILURES_BEFORE_REST:
                # This one finds out; others are refused until it knows.
                self._rests_until = self._timer() + patience.IN_A_REQUEST_SECONDS

    def _note_failure(self) -> None:
        with self._lock:
            self._failures += 1
            over = self._failures - FAILURES_BEFORE_REST
            if over < 0:
                return
            rest = RESTS[min(over, len(RESTS) - 1)]
            self._rests_until = self._timer() + rest
        logger.error("gateway does not answer", extra={"gateway": self._gateway.name, "seconds": rest})

    def _note_answer(self) -> None:
        with self._lock:
            was_resting = self._failures >= FAILURES_BEFORE_REST
            self._failures, self._rests_until = 0, 0.0
        if was_resting:
            logger.warning("gateway answers again", extra={"gateway": self._gateway.name})
