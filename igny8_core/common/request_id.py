"""The request that this thread answers, and its id. Every answer, log line, event and mail has the id.

A job in the worker has an id as well: that of the request which caused it, or one of its own.
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest

# Few characters are allowed, because the id is written into headers and logs.
INCOMING_PATTERN = re.compile(r"[A-Za-z0-9-]{8,64}")

_current: ContextVar[str] = ContextVar("request_id", default="")
_may_have_changed: ContextVar[bool] = ContextVar("may_have_changed", default=False)
_request: ContextVar["HttpRequest | None"] = ContextVar("request", default=None)


def current_request_id() -> str:
    """The id of the current request or job, or "" outside of both (in a shell)."""
    return _current.get()


def current_request() -> "HttpRequest | None":
    """The request that is being answered; None in a worker or a shell."""
    return _request.get()


def begin_request(incoming: str, request: "HttpRequest | None" = None) -> str:
    """Use the caller's id if it is well formed, else make a new one. Returns the id."""
    request_id = incoming if INCOMING_PATTERN.fullmatch(incoming) else uuid.uuid4().hex
    _current.set(request_id)
    _request.set(request)
    _may_have_changed.set(False)
    return request_id


def note_commit() -> None:
    """From here on, work of this request may be committed, whatever else becomes of it."""
    _may_have_changed.set(True)


def may_have_changed() -> bool:
    """Whether work of this request was committed, or is if the connection broke before the answer came."""
    return _may_have_changed.get()


def end_request() -> None:
    """Forget the request, because the same thread answers the next one."""
    _current.set("")
    _request.set(None)


@contextmanager
def job_of(request_id: str) -> Iterator[str]:
    """What the block does belongs to the request with this id; without an id it gets one of its own."""
    token = _current.set(request_id or uuid.uuid4().hex)
    try:
        yield _current.get()
    finally:
        _current.reset(token)
