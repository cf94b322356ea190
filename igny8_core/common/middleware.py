"""Middlewares: request ids, each request's log line, the Content-Security-Policy, limits of API requests."""

import time
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from urllib.parse import unquote_to_bytes

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase
from django.utils.translation import gettext as _

from igny8_core.common.api.callers import seconds_for_network
from igny8_core.common.api.envelope import failure_response
from igny8_core.common.api.exceptions import PayloadTooLarge, too_many_text
from igny8_core.common.api.parsers import MAX_BODY_BYTES, MAX_UPLOAD_BYTES
from igny8_core.common.request_id import begin_request, end_request
from igny8_core.common.request_log import write_request

API_PREFIX = "/api/"
CONSOLE_PREFIX = "/admin/"
WEBHOOKS_PREFIX = "/api/v1/billing/webhooks/"

Answer = Callable[[HttpRequest], HttpResponse]


class PolicyMiddleware(CSPMiddleware):
    """django-csp, but the header that most answers share is built once instead of per answer.

    django-csp still handles answers with a policy of their own (attributes that start with `_csp`), error pages and
    answers with a nonce.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the site's Content-Security-Policy, unless the answer has one."""
        own = response.status_code in (404, 500) or any(name.startswith("_csp") for name in vars(response))
        if own or getattr(request, "_csp_nonce", None):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, _policy())
        return response


@lru_cache
def _policy() -> str:
    return str(build_policy())


class RequestIdMiddleware:
    """Gives each request an id, returns it as X-Request-ID, and writes the request's line. It is the outermost one."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = begin_request(request.headers.get("X-Request-ID", ""), request)
        # For the log line that Django writes about a request that failed after this middleware is done.
        request.request_id = request_id  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
            write_request(request, response.status_code, time.perf_counter() - started)
        finally:
            end_request()
        response["X-Request-ID"] = request_id
        return response


class ApiBoundaryMiddleware:
    """Refuses API requests of networks that ask too much, with a large body, or an address that is no valid text.

    Adds `Cache-Control: no-store` to answers of the API whose view sets no Cache-Control.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(API_PREFIX):
            return _refuse_nul(request) or self.get_response(request)
        response = (
            _refuse_flood(request) or _refuse_address(request) or _refuse_body(request) or self.get_response(request)
        )
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response


def _refuse_nul(request: HttpRequest) -> HttpResponse | None:
    # PostgreSQL refuses NUL in text, so a page would answer a search for it with a 500.
    query = unquote_to_bytes(request.META.get("QUERY_STRING", "").encode("latin-1", "replace"))
    if "\0" in request.path_info or b"\0" in query:
        return HttpResponseBadRequest("The address contains a NUL character. Remove it.", content_type="text/plain")
    return None


def _refuse_flood(request: HttpRequest) -> HttpResponse | None:
    # Gateways send in bursts, and their signature is checked before anything else.
    if request.path_info.startswith(WEBHOOKS_PREFIX):
        return None
    wait = seconds_for_network(request)
    if wait is None:
        return None
    refusal = failure_response(429, too_many_text(wait), "throttled")
    refusal["Retry-After"] = str(wait)
    return refusal


def _refuse_address(request: HttpRequest) -> HttpResponse | None:
    # PostgreSQL refuses NUL in text (INP-01). In a decoded path, a percent sign is what Django leaves of bytes that are
    # not UTF-8; no API address has one. In the query, Django would replace such bytes by another character.
    raw_query = unquote_to_bytes(request.META.get("QUERY_STRING", "").encode("latin-1", "replace"))
    if set("\0%") & set(request.path_info) or b"\0" in raw_query or not _is_utf8(raw_query):
        return failure_response(
            400, _("The address is not valid UTF-8, or contains a NUL character. Correct it."), "bad_request"
        )
    return None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _limit(request: HttpRequest) -> int:
    # A view without uploads refuses this type with 415, before it reads the body.
    is_upload = request.META.get("CONTENT_TYPE", "").lower().startswith("multipart/form-data")
    return MAX_UPLOAD_BYTES if is_upload else MAX_BODY_BYTES


def _refuse_body(request: HttpRequest) -> HttpResponse | None:
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return _buffer_chunks(request)
    if length and not (length.isascii() and length.isdigit()):
        return failure_response(400, _("Content-Length must be a number."), "bad_request")
    # The length of the text is checked first: converting thousands of digits is slow.
    if len(length) > 15 or int(length or 0) > _limit(request):
        return _too_large(request)
    return None


def _buffer_chunks(request: HttpRequest) -> HttpResponse | None:
    """Read a chunked body up to the limit. Django would read it as empty, because it has no Content-Length."""
    if not request.META.get("wsgi.input_terminated"):
        return failure_response(411, _("The length of the body is missing. Send a Content-Length."), "length_required")
    body = request.META["wsgi.input"].read(_limit(request) + 1)
    if len(body) > _limit(request):
        return _too_large(request)
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)
    return None


def _too_large(request: HttpRequest) -> HttpResponse:
    text = _("The request body is too large. The limit is %(value)s MB.") % {"value": _limit(request) // 1024 // 1024}
    return failure_response(413, text, PayloadTooLarge.default_code)
