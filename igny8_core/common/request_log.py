"""One line in the log for each request: what was asked, by whom, from where, how it ended and how long it took."""

import logging
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from igny8_core.common.network import client_network

logger = logging.getLogger("igny8_core.request")
LONGEST_PATH = 500


def write_request(request: HttpRequest, status: int, seconds: float) -> None:
    """Write the line. The query is left out, because links of ours have tokens in theirs."""
    if not logger.isEnabledFor(logging.INFO):
        return
    person = _known_person(request)
    logger.info(
        "request",
        extra={
            "method": request.method,
            "path": request.path[:LONGEST_PATH],
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            "user": getattr(person, "pk", None),
            "account": getattr(person, "account_id", None),
            "network": client_network(request),
        },
    )


def _known_person(request: HttpRequest) -> Any:
    """Who called, as far as somebody has looked: of the API, of the console, or of a page of ours. Nothing is read."""
    known = request.__dict__
    person = known.get("user")
    if isinstance(person, SimpleLazyObject):
        # A promise to read the session; `_cached_user` is there once somebody has asked for it.
        person = known.get("_cached_user")
    return person if getattr(person, "pk", None) else known.get("_person_of_page", {}).get("person")
