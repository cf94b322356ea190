"""How long a gateway may take to answer. The clients ask here before each try (FLT-13).

People wait for the answer to a request, and a thread with them: gateways get 15 seconds of it together. What is not
decided by then is asked again by the worker (services/reconciliation/polling.py).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest

from igny8_core.business.billing.gateways.protocol import Unavailable
from igny8_core.common.marks import gettext_noop
from igny8_core.common.request_id import current_request

IN_A_REQUEST_SECONDS = 15
IN_A_JOB_SECONDS = 60
CONNECT_SECONDS = 3.05
READ_SECONDS = 20.0
# With less than this left another try makes no sense.
LEAST_SECONDS = 2.0
_USED = "_gateway_seconds"
NO_TIME = gettext_noop("Payment services have taken too long for this request. Nothing was sent.")

_until: ContextVar[float] = ContextVar("gateway_until", default=0.0)


@contextmanager
def for_a_call() -> Iterator[None]:
    """The block asks a gateway, with what is left of the request's time. Raises Unavailable if nothing is."""
    request, started = current_request(), time.monotonic()
    left = IN_A_JOB_SECONDS if request is None else IN_A_REQUEST_SECONDS - _used(request)
    if left < LEAST_SECONDS:
        raise Unavailable(NO_TIME, code="no_time_left", may_have_happened=False, retry_after=5)
    token = _until.set(started + left)
    try:
        yield
    finally:
        _until.reset(token)
        if request is not None:
            request.__dict__[_USED] = _used(request) + time.monotonic() - started


def timeouts() -> tuple[float, float]:
    """Seconds to connect and to wait for an answer, for one try."""
    left = _left()
    return min(CONNECT_SECONDS, left), min(READ_SECONDS, left)


def allows_another_try(pause: float = 0.0) -> bool:
    """Whether there is time for another try after a pause."""
    return _left() - pause >= LEAST_SECONDS


def _left() -> float:
    until = _until.get()
    return max(until - time.monotonic(), 0.1) if until else READ_SECONDS


def _used(request: HttpRequest) -> float:
    used: float = request.__dict__.get(_USED, 0.0)
    return used
