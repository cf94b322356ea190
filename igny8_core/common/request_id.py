"""The identifier of the request being answered: in every answer, log line and event, so that they can be matched."""

import re
import uuid
from contextvars import ContextVar

# Kept narrow because the identifier is echoed in headers and logs.
INCOMING_PATTERN = re.compile(r"[A-Za-z0-9-]{8,64}")

_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The identifier of the current request, or "" outside one (a shell, a task)."""
    return _current.get()


def begin_request(incoming: str) -> str:
    """Take over the caller's identifier when it is well formed, else make one; returns what is now current."""
    request_id = incoming if INCOMING_PATTERN.fullmatch(incoming) else uuid.uuid4().hex
    _current.set(request_id)
    return request_id


def end_request() -> None:
    """Forget the identifier: the same thread answers the next request."""
    _current.set("")
