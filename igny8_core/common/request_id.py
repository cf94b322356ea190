"""The id of the current request. Every answer, log line and event has it, so that they can be matched."""

import re
import uuid
from contextvars import ContextVar

# Few characters are allowed, because the id is written into headers and logs.
INCOMING_PATTERN = re.compile(r"[A-Za-z0-9-]{8,64}")

_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the current request, or "" outside a request (in a shell or task)."""
    return _current.get()


def begin_request(incoming: str) -> str:
    """Use the caller's id if it is well formed, else make a new one. Returns the id."""
    request_id = incoming if INCOMING_PATTERN.fullmatch(incoming) else uuid.uuid4().hex
    _current.set(request_id)
    return request_id


def end_request() -> None:
    """Forget the id, because the same thread answers the next request."""
    _current.set("")
