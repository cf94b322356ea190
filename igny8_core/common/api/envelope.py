"""The JSON around every API answer: `success` true with data, or false with a message, a code and field errors."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import JsonResponse
from rest_framework.response import Response

from igny8_core.common.languages import translated
from igny8_core.common.request_id import current_request_id

FieldErrors = Mapping[str, Sequence[str]]


def success(data: Any = None, message: str = "", status: int = 200) -> Response:
    """A 2xx answer: `{"success": true, "message": …, "data": …}`."""
    return Response(success_body(data, message), status=status)


def success_body(data: Any, message: str) -> dict[str, Any]:
    """The body of success(). A marked sentence is said in the caller's language."""
    return {"success": True, "message": translated(message), "data": data}


def failure_body(message: str, code: str, errors: FieldErrors | None = None) -> dict[str, Any]:
    """The body of every refusal.

    Parameters: `message` is a sentence for people. `code` is for machines and never changes. `errors` maps input
    fields to sentences; it is `{}` in the body if no field is wrong. Marked sentences are said in the
    caller's language.
    """
    return {
        "success": False,
        "message": translated(message),
        "code": code,
        "errors": {name: [translated(sentence) for sentence in said] for name, said in (errors or {}).items()},
        "request_id": current_request_id(),
    }


def failure_response(status: int, message: str, code: str) -> JsonResponse:
    """A refusal from outside the API views (middleware, URL resolver), where DRF renders nothing."""
    return JsonResponse(failure_body(message, code), status=status)
