"""Idempotency-Key: a POST that moves money or credits does so once, however often it is sent (PAY-16).

The answer is stored in the transaction of the work itself. So either both are there, and a repeat gets the first answer
even when the caller never saw it; or neither is, and the repeat does the work. Refusals change nothing and are not
stored.
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
from igny8_core.common.kept_answers import KeptAnswer, NewAnswer, keep_answers, kept_answer, take_key

HEADER = "Idempotency-Key"
# The order of the names in a JSON object says nothing. Kept, because json.dumps would make one each time.
_sorted_json = json.JSONEncoder(sort_keys=True)
KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,255}")

Post = TypeVar("Post", bound=Callable[..., HttpResponseBase])


class InvalidIdempotencyKey(DomainError):
    code = "invalid_idempotency_key"
    http_status = 400
    text = "Idempotency-Key is 1 to 255 visible ASCII characters without spaces, for example a UUID."


class IdempotencyKeyRequired(DomainError):
    code = "idempotency_key_required"
    http_status = 400
    text = "Send an Idempotency-Key header, for example a new UUID, and the same one when you repeat this request."


class IdempotencyKeyInFlight(DomainError):
    code = "idempotency_key_in_flight"
    http_status = 409
    text = "A request with this Idempotency-Key is being worked on. Repeat it in a moment to get its answer."


class IdempotencyKeyReused(DomainError):
    code = "idempotency_key_reused"
    http_status = 422
    text = "This Idempotency-Key was used for another request. Take a new key for a new request."


def idempotent(
    *, required: bool = False, asks_gateway: Callable[..., bool] = lambda *args, **kwargs: False
) -> Callable[[Post], Post]:
    """Decorator of an action that answers POST: honours the Idempotency-Key header, and with `required` insists on it.

    The view runs in a transaction then, so it must not mail or call other services of the network; an obstacle that it
    meets is cleared after the rollback, and the view is called again. Where
    `asks_gateway`, called like the view, says that it does, there is no transaction around it: the view hands
    request_key() to a service that commits its attempt under it, so that a repeat goes on with that attempt.
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
    """The answer that is kept, else that of the work: it is kept in the transaction of the work."""
    with one_transaction():
        return _stored_answer(request, key) or _store(request, key, work())


def request_key(request: Request) -> str:
    """What a service keeps of the caller's Idempotency-Key, the same at every repeat; empty where there is none."""
    key = request.headers.get(HEADER)
    return hashlib.sha256(f"{caller_name(request)}:{key}".encode()).hexdigest() if key else ""


def _stored_answer(request: Request, key: str) -> HttpResponse | None:
    # Held until the transaction ends: who does not get it finds the first request still at work.
    hold = take_key(caller_name(request), key)
    if not hold.taken:
        raise IdempotencyKeyInFlight(retry_after=1)
    return _replay(request, hold.answer)


def _replay(request: Request, stored: KeptAnswer | None) -> HttpResponse | None:
    if stored is None:
        return None
    if stored.request_hash != _request_hash(request):
        raise IdempotencyKeyReused()
    replay = HttpResponse(stored.body, status=stored.status, content_type=StrictJSONParser.media_type)
    replay["Idempotent-Replayed"] = "true"
    return replay


def _store_after(request: Request, key: str, response: HttpResponseBase) -> HttpResponseBase:
    """Keep an answer whose work is committed already; of two that worked at the same attempt the first one counts."""
    caller = caller_name(request)
    with one_transaction():
        lock_text("idempotency key", f"{caller}:{key}")
        return _replay(request, kept_answer(caller, key)) or _store(request, key, response)


def _store(request: Request, key: str, response: HttpResponseBase) -> HttpResponse:
    """Keep the answer and give it out as it is kept: it is written once, and a repeat gets the same bytes."""
    if not isinstance(response, Response):
        raise TypeError("Only answers of success() can be kept for a repeat.")
    body = written(response.data)
    kept = keep_answers(caller_name(request), response.status_code, [NewAnswer(key, _request_hash(request), body)])
    if not kept:
        # Whoever kept one without holding the key, such as a batch, was first. Our work is undone with this.
        raise IdempotencyKeyInFlight(retry_after=1)
    # The same object, so that DRF finds it written and does not render it again.
    response.content = body.encode()
    response["Content-Type"] = StrictJSONParser.media_type
    return response


def written(body: Any) -> str:
    """The body of an answer as it is sent and kept."""
    return JSONRenderer().render(body).decode()


def caller_name(request: Request) -> str:
    """Whose keys a request's are: those of two users never meet."""
    return f"user {request.user.pk}"


def _request_hash(request: Request) -> str:
    return request_hash(str(request.method), request.get_full_path(), request.data)


def request_hash(method: str, address: str, data: Any) -> str:
    """What tells a request from another one with the same key."""
    body = _sorted_json.encode(data)
    return hashlib.sha256(f"{method} {address} {body}".encode()).hexdigest()
