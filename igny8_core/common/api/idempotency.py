"""Idempotency-Key: a POST that moves money or credits does its work once, however often it is sent (PAY-16).

The answer is stored in the transaction of the work. Either both are committed, and a repeat gets the first answer; or
neither is, and a repeat does the work. Refusals change nothing and are not stored.
"""

import hashlib
import json
import re
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

from django.http import HttpResponse, HttpResponseBase
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.common.api.parsers import StrictJSONParser
from igny8_core.common.db import lock_text, one_transaction, without_obstacles
from igny8_core.common.errors import DomainError
from igny8_core.common.idempotency_store import NewAnswer, StoredAnswer, store_answers, stored_answer, take_key
from igny8_core.common.marks import gettext_noop

HEADER = "Idempotency-Key"
# Sorted, because the order of names in a JSON object means nothing. json.dumps would make an encoder at each call.
_sorted_json = json.JSONEncoder(sort_keys=True)
KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,255}")

Post = TypeVar("Post", bound=Callable[..., HttpResponseBase])


class InvalidIdempotencyKey(DomainError):
    code = "invalid_idempotency_key"
    http_status = 400
    text = gettext_noop(
        "The Idempotency-Key is not valid. Send 1 to 255 visible ASCII characters without spaces, for example a UUID."
    )


class IdempotencyKeyRequired(DomainError):
    code = "idempotency_key_required"
    http_status = 400
    text = gettext_noop(
        "The Idempotency-Key header is missing. Send a new UUID, and the same one again if you repeat this request."
    )


class IdempotencyKeyInFlight(DomainError):
    code = "idempotency_key_in_flight"
    http_status = 409
    text = gettext_noop(
        "A request with this Idempotency-Key is still being processed. Repeat it in a moment to get its answer."
    )


class IdempotencyKeyReused(DomainError):
    code = "idempotency_key_reused"
    http_status = 422
    text = gettext_noop("This Idempotency-Key was used for another request. Use a new key for a new request.")


def idempotent(
    *, required: bool = False, asks_gateway: Callable[..., bool] = lambda *args, **kwargs: False
) -> Callable[[Post], Post]:
    """Decorator of a view method that answers POST: honours the Idempotency-Key header; `required` makes it compulsory.

    With a key the method runs in one transaction, so it must not send mail or use the network. If it meets an obstacle,
    the transaction is rolled back, the obstacle is cleared, and the method runs again (common/obstacles.py).

    `asks_gateway` gets the method's arguments and says whether it will call a payment gateway. Then no transaction is
    opened: the method passes request_key() to a service, which commits its attempt under that key before it calls the
    gateway. A repeat continues the same attempt.

    Raises InvalidIdempotencyKey, IdempotencyKeyRequired, IdempotencyKeyInFlight, IdempotencyKeyReused.
    """

    def decorate(post: Post) -> Post:
        @wraps(post)
        def answered_once(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            key = request.headers.get(HEADER)
            if key is None:
                if required:
                    raise IdempotencyKeyRequired()
                return post(view, request, *args, **kwargs)
            if not KEY_PATTERN.fullmatch(key):
                raise InvalidIdempotencyKey()
            if asks_gateway(view, request, *args, **kwargs):
                with one_transaction():
                    stored = _stored_answer(request, key)
                return stored or _store_after(request, key, post(view, request, *args, **kwargs))
            return without_obstacles(partial(_once, request, key, partial(post, view, request, *args, **kwargs)))

        answered_once.idempotency_key = "required" if required else "optional"  # type: ignore[attr-defined]
        return answered_once  # type: ignore[return-value]

    return decorate


def _once(request: Request, key: str, work: Callable[[], HttpResponseBase]) -> HttpResponse:
    """The stored answer; if there is none, do the work and store its answer in the same transaction."""
    with one_transaction():
        return _stored_answer(request, key) or _store(request, key, work())


def request_key(request: Request) -> str:
    """A hash of the caller and their Idempotency-Key, the same at every repeat; empty if the request has no key."""
    key = request.headers.get(HEADER)
    return hashlib.sha256(f"{caller_name(request)}:{key}".encode()).hexdigest() if key else ""


def _stored_answer(request: Request, key: str) -> HttpResponse | None:
    # Held until the transaction ends. If it is not ours, the first request is still running.
    hold = take_key(caller_name(request), key)
    if not hold.taken:
        raise IdempotencyKeyInFlight(retry_after=1)
    return _replay(request, hold.answer)


def _replay(request: Request, stored: StoredAnswer | None) -> HttpResponse | None:
    if stored is None:
        return None
    if stored.request_hash != _request_hash(request):
        raise IdempotencyKeyReused()
    replay = HttpResponse(stored.body, status=stored.status, content_type=StrictJSONParser.media_type)
    replay["Idempotent-Replayed"] = "true"
    return replay


def _store_after(request: Request, key: str, response: HttpResponseBase) -> HttpResponseBase:
    """Store an answer whose work is committed already. If two requests continued the same attempt, the first counts."""
    caller = caller_name(request)
    with one_transaction():
        lock_text("idempotency key", f"{caller}:{key}")
        return _replay(request, stored_answer(caller, key)) or _store(request, key, response)


def _store(request: Request, key: str, response: HttpResponseBase) -> HttpResponse:
    """Store the answer and return it rendered, so that a repeat gets the same bytes."""
    if not isinstance(response, Response):
        raise TypeError("An idempotent view must return an answer of success().")
    body = written(response.data)
    kept = store_answers(caller_name(request), response.status_code, [NewAnswer(key, _request_hash(request), body)])
    if not kept:
        # A batch stored an answer first; it does not hold the key. This exception rolls our work back.
        raise IdempotencyKeyInFlight(retry_after=1)
    # The same object, so that DRF finds it rendered and does not render it again.
    response.content = body.encode()
    response["Content-Type"] = StrictJSONParser.media_type
    return response


def written(body: Any) -> str:
    """The body of an answer as text: what is sent and what is stored."""
    return JSONRenderer().render(body).decode()


def caller_name(request: Request) -> str:
    """The name of the caller that keys are stored under: two users can use the same key."""
    return f"user {request.user.pk}"


def _request_hash(request: Request) -> str:
    return request_hash(str(request.method), request.get_full_path(), request.data)


def request_hash(method: str, address: str, data: Any) -> str:
    """SHA-256 of a request: shows whether two requests with the same key are the same request."""
    body = _sorted_json.encode(data)
    return hashlib.sha256(f"{method} {address} {body}".encode()).hexdigest()
