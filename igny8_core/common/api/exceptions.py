"""Turns every exception of an API view into an answer. Nothing internal leaves through it."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DatabaseError, InterfaceError
from django.http import Http404, UnreadablePostError
from django.utils.translation import gettext, ngettext
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.settings import api_settings

from igny8_core.common.api.envelope import failure_body
from igny8_core.common.errors import DomainError
from igny8_core.common.languages import translated
from igny8_core.common.marks import gettext_noop
from igny8_core.common.request_id import may_have_changed
from igny8_core.common.security_log import Outcome, security_event

logger = logging.getLogger(__name__)

# PostgreSQL error states that go away by themselves: lock timeout, deadlock, serialization failure, cancelled
# statement, ended idle transaction; and the classes connection failure, lack of resources, server starting or stopping.
PASSING_STATES = frozenset({"55P03", "40P01", "40001", "57014", "25P03"})
PASSING_CLASSES = ("08", "53", "57P0")
RETRY_AFTER_SECONDS = 2

BUSY = gettext_noop("The service is busy. Nothing was changed. Try again in a moment.")
IN_DOUBT = gettext_noop(
    "Our database was busy or out of reach while your request was carried out. It may have been done, in whole or in "
    "part. Look at the object before you repeat the request; with the same Idempotency-Key it is done once."
)
MALFORMED = gettext_noop("The request is malformed. Check its address, headers and body.")
NO_SUCH_ADDRESS = gettext_noop("No such address. API addresses start with /api/v1/ and end with a slash.")

# A 401 must name a scheme (RFC 9110 section 11.6.1), even from a view that needs no token, such as the login.
AUTHENTICATE_HEADER = 'Bearer realm="api"'


class PayloadTooLarge(drf.APIException):
    """The body is over the limit. It is refused before it is parsed."""

    status_code = 413
    default_code = "payload_too_large"
    default_detail = gettext_noop("The request body is too large. The limit is 1 MB.")


@dataclass
class Failure:
    """What the caller is told."""

    status: int
    code: str
    message: str
    errors: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


SECURITY_EVENTS_BY_CODE = {
    "payment_required": "sequence_fail",
    "invalid_input": "input_validation_fail",
    **dict.fromkeys(("file_too_large", "unreadable_file", "unsupported_file_type"), "upload_validation"),
}
SECURITY_EVENTS = {403: "authz_fail", 404: "malicious_direct_reference"}

UNEXPECTED = Failure(
    500, "internal_error", gettext_noop("Something went wrong on our side. Please quote the request_id to support.")
)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: an expected refusal becomes an envelope; anything else is logged and becomes a 500."""
    failure = _failure_of(exc)
    if failure is None:
        failure = UNEXPECTED
        _report(exc, context)
    _log_denial(exc, failure, context)
    body = failure_body(failure.message, failure.code, failure.errors)
    return Response(body, status=failure.status, headers=failure.headers)


def _log_denial(exc: Exception, failure: Failure, context: dict[str, Any]) -> None:
    """Log one line per denial, with the event names of the OWASP Logging Vocabulary (TEN-01, MAS-03, ADM-05)."""
    request = context.get("request")
    event = SECURITY_EVENTS_BY_CODE.get(failure.code) or SECURITY_EVENTS.get(failure.status)
    # A 404 that is no DomainError is an unknown address, which asks for nobody's object.
    if request is None or event is None or (failure.status == 404 and not isinstance(exc, DomainError)):
        return
    outcome: Outcome = "failure" if event in {"input_validation_fail", "upload_validation"} else "denied"
    asked = {"method": request.method, "path": request.path, "code": failure.code}
    who = {"user": request.user.pk, "account": getattr(request.user, "account_id", None)}
    security_event(event, outcome, **who, **asked)


def _report(exc: Exception, context: dict[str, Any]) -> None:
    request = context.get("request")
    # Django's signal feeds error trackers, and makes the test client raise instead of hiding the traceback.
    got_request_exception.send(sender=exception_handler, request=getattr(request, "_request", request))
    logger.error("Unhandled exception in %s", context.get("view"), exc_info=exc)


def _failure_of(exc: Exception) -> Failure | None:
    match exc:
        case DomainError():
            return _domain_failure(exc)
        case Http404():
            return Failure(404, "not_found", gettext("Not found."))
        case PermissionDenied():
            return _api_failure(drf.PermissionDenied())
        case drf.APIException():
            return _api_failure(exc)
        case RequestDataTooBig():
            return _api_failure(PayloadTooLarge())
        case SuspiciousOperation() | UnreadablePostError():
            return Failure(400, "bad_request", MALFORMED)
        case DatabaseError() | InterfaceError() if passes_by_itself(exc):
            text = IN_DOUBT if may_have_changed() else BUSY
            return Failure(503, "temporarily_unavailable", text, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return None


def _domain_failure(exc: DomainError) -> Failure:
    headers = {}
    if exc.retry_after is not None:
        headers["Retry-After"] = str(exc.retry_after)
    if exc.http_status == 401:
        headers["WWW-Authenticate"] = AUTHENTICATE_HEADER
    return Failure(exc.http_status, exc.code, exc.text, exc.errors or {}, headers)


def _api_failure(exc: drf.APIException) -> Failure:
    if isinstance(exc, drf.ValidationError):
        details = list(flatten_errors(exc.detail))
        return Failure(400, "invalid_input", validation_message(details), _by_field(details))
    headers = {}
    message, code = _message_and_code(exc)
    status = exc.status_code
    if isinstance(exc, (drf.NotAuthenticated, drf.AuthenticationFailed)):
        # DRF would answer 403 on views without an authenticator, such as the login itself.
        status = 401
        headers["WWW-Authenticate"] = getattr(exc, "auth_header", None) or AUTHENTICATE_HEADER
    if isinstance(exc, drf.Throttled):
        wait = max(1, math.ceil(getattr(exc, "wait", None) or 1))
        headers["Retry-After"] = str(wait)
        message, code = too_many_text(wait), "throttled"
    return Failure(status, code, message, headers=headers)


def _message_and_code(exc: drf.APIException) -> tuple[str, str]:
    detail: Any = exc.detail
    if isinstance(detail, dict):
        detail = detail.get("detail", exc.default_detail)
    return str(detail), str(getattr(detail, "code", exc.default_code))


def passes_by_itself(exc: Exception) -> bool:
    """Whether an error of the database is none of ours and goes away: it was busy, restarted or out of reach."""
    state = getattr(exc.__cause__, "pgcode", None)
    if state is None:
        # The server was not reached or the connection broke, so psycopg2 has no error state.
        return type(exc).__name__ in {"OperationalError", "InterfaceError"}
    return state in PASSING_STATES or state.startswith(PASSING_CLASSES)


def flatten_errors(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """DRF's nested error detail as pairs of field path and sentence: `("line_items.0.amount", "…")`."""
    general = api_settings.NON_FIELD_ERRORS_KEY
    if isinstance(detail, dict):
        for key, value in detail.items():
            inner = str(key) if key != general or not path else ""
            yield from flatten_errors(value, ".".join(part for part in (path, inner) if part))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            is_nested = isinstance(value, (dict, list))
            yield from flatten_errors(value, f"{path}.{index}".lstrip(".") if is_nested else path)
    else:
        yield path or general, detail


def validation_message(details: list[tuple[str, str]]) -> str:
    """A sentence about the first wrong field, with the number of other wrong fields."""
    field_name, sentence = details[0]
    if field_name == api_settings.NON_FIELD_ERRORS_KEY:
        text = translated(str(sentence))
    elif getattr(sentence, "code", "") == "required":
        text = gettext("%(field_name)s is required.") % {"field_name": field_name}
    else:
        text = f"{field_name}: {translated(str(sentence))}"
    more = len({name for name, _ in details}) - 1
    return gettext("%(text)s (%(more)s more in errors.)") % {"text": text, "more": more} if more else str(text)


def _by_field(details: list[tuple[str, str]]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for field_name, sentence in details:
        errors.setdefault(field_name, []).append(str(sentence))
    return errors


def too_many_text(wait: int) -> str:
    """The sentence for who has to wait so many seconds."""
    text = ngettext(
        "Too many requests. Try again in %(wait)s second.", "Too many requests. Try again in %(wait)s seconds.", wait
    )
    return text % {"wait": wait}
