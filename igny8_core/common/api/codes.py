"""Every error code of the API, with its HTTP status, its usual sentence and the operations that answer with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from igny8_core.common.api.exceptions import UNEXPECTED
from igny8_core.common.api.openapi import operations
from igny8_core.common.api.openapi_refusals import JSON
from igny8_core.common.errors import DomainError

# A code of more operations than this shows their number in place of their names.
MOST_NAMED = 6
NOT_IN_API = "the console and the payment page"
EVERYWHERE = "every operation"
LOGGED_IN = "operations that need or take a token"
WITH_BODY = "operations with a body"
# Codes that any operation can answer with. They have no DomainError class.
FRAME = {
    "authentication_failed": (
        401,
        "The token is not valid, has expired, or its session has ended. Log in, or refresh the token.",
    ),
    "bad_request": (
        400,
        "The address or the Content-Length of the request is malformed. Correct it and send it again.",
    ),
    "invalid_input": (400, "Some of the input is not valid. `errors` says what is wrong with each field."),
    "internal_error": (500, UNEXPECTED.message),
    "length_required": (411, "Send the body with a Content-Length."),
    "method_not_allowed": (405, "This address does not support the method. The Allow header lists those it supports."),
    "not_acceptable": (406, "Answers are application/json. Send Accept: application/json, or no Accept header."),
    "not_authenticated": (401, "No token was sent. Log in and send the header Authorization: Bearer <access token>."),
    "not_found": (404, "The object, address or page does not exist, or the object belongs to another account."),
    "parse_error": (400, "The body is not valid JSON for this operation. The message says what is wrong."),
    "payload_too_large": (413, "The body is larger than 1 MB, or the uploaded file larger than 5 MB. Send less."),
    "permission_denied": (403, "Your role may not do this. Ask an owner or admin of your account."),
    "temporarily_unavailable": (
        503,
        "The service is busy. The message says whether anything may have changed. Repeat after Retry-After seconds.",
    ),
    "throttled": (429, "Too many requests. Repeat after the seconds in Retry-After."),
    "unsupported_media_type": (415, "The body must be application/json. Send Content-Type: application/json."),
}
FRAME_PLACES = {
    "authentication_failed": LOGGED_IN,
    "not_authenticated": LOGGED_IN,
    "permission_denied": LOGGED_IN,
    "parse_error": WITH_BODY,
    "payload_too_large": WITH_BODY,
    "unsupported_media_type": WITH_BODY,
    "length_required": WITH_BODY,
    "throttled": "operations with a rate limit",
    "not_found": "operations with an id in their address, and lists",
}


@dataclass(frozen=True)
class Code:
    """An error code with its HTTP status and usual sentence; `places` says in words which operations answer with it."""

    code: str
    status: int
    sentence: str
    places: str


def codes_of(document: dict[str, Any], *, outside: bool = True) -> list[Code]:
    """The error codes of an OpenAPI document, sorted by name; with `outside` also the codes that no operation has."""
    places: dict[str, list[str]] = {}
    for code, operation_id in sorted(_declared(document)):
        places.setdefault(code, []).append(operation_id)
    found = [Code(code, *FRAME[code], FRAME_PLACES.get(code, EVERYWHERE)) for code in FRAME]
    for error in _errors_of(DomainError):
        if error.code not in FRAME and (outside or error.code in places):
            place = _named(places[error.code]) if error.code in places else NOT_IN_API
            found.append(Code(error.code, error.http_status, error.text, place))
    return sorted(found, key=lambda row: row.code)


def _declared(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for _, _, operation in operations(document):
        for response in operation["responses"].values():
            answer = _resolved(response, document)
            schema = _resolved(answer.get("content", {}).get(JSON, {}).get("schema", {}), document)
            for code in schema.get("properties", {}).get("code", {}).get("enum", ()):
                yield code, operation["operationId"]


def _resolved(part: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    kind, name = part["$ref"].removeprefix("#/components/").split("/")
    found: dict[str, Any] = document["components"][kind][name]
    return found


def _errors_of(root: type[DomainError]) -> Iterator[type[DomainError]]:
    for error in root.__subclasses__():
        # Leaves out the error classes that tests define.
        if error.__module__.startswith("igny8_core."):
            yield error
        yield from _errors_of(error)


def _named(operation_ids: list[str]) -> str:
    return f"{len(operation_ids)} operations" if len(operation_ids) > MOST_NAMED else ", ".join(operation_ids)
