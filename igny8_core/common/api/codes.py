"""Every code that a refusal can carry, with its status, its sentence and where it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from igny8_core.common.api.exceptions import UNEXPECTED
from igny8_core.common.api.openapi import operations
from igny8_core.common.api.openapi_refusals import JSON
from igny8_core.common.errors import DomainError

# More operations than these are counted, not named.
MOST_NAMED = 6
NOT_IN_API = "the console and the payment page"
EVERYWHERE = "every operation"
LOGGED_IN = "operations that need or take a token"
WITH_BODY = "operations with a body"
# Codes of the frame around all operations; those have no class of their own.
FRAME = {
    "authentication_failed": (
        401,
        "The token is not valid, has run out or its session has ended. Log in or refresh it.",
    ),
    "bad_request": (400, "The request is not HTTP as it should be: its address or Content-Length is malformed."),
    "invalid_input": (400, "Some of the input is not valid. `errors` has a sentence for each field."),
    "internal_error": (500, UNEXPECTED.message),
    "length_required": (411, "Send the body with a Content-Length."),
    "method_not_allowed": (405, "This address does not take the method. The Allow header names those that it takes."),
    "not_acceptable": (406, "Only application/json is answered. Send Accept: application/json, or no Accept header."),
    "not_authenticated": (401, "No token was sent. Send Authorization: Bearer and the token of a login."),
    "not_found": (404, "Absent, or another account's; or there is no such address or page."),
    "parse_error": (400, "The body is not the JSON that was expected. The message says what is wrong."),
    "payload_too_large": (413, "The body is larger than 1 MB, or an upload than 5 MB. Send less."),
    "permission_denied": (403, "Your role may not do this. Ask an owner or admin of your account."),
    "temporarily_unavailable": (503, "The service is busy and nothing was changed. Wait for Retry-After, then repeat."),
    "throttled": (429, "Too many requests. Wait for Retry-After, then repeat."),
    "unsupported_media_type": (415, "Only application/json is taken. Send Content-Type: application/json."),
}
FRAME_PLACES = {
    "authentication_failed": LOGGED_IN,
    "not_authenticated": LOGGED_IN,
    "permission_denied": LOGGED_IN,
    "parse_error": WITH_BODY,
    "payload_too_large": WITH_BODY,
    "unsupported_media_type": WITH_BODY,
    "length_required": WITH_BODY,
    "throttled": "operations whose calls are counted",
    "not_found": "operations with an id in their address, and lists",
}


@dataclass(frozen=True)
class Code:
    """A code with its HTTP status, its usual sentence, and which operations it comes from, in words."""

    code: str
    status: int
    sentence: str
    places: str


def codes_of(document: dict[str, Any], *, outside: bool = True) -> list[Code]:
    """The codes of an OpenAPI document, by their names; with `outside` also those that none of its operations has."""
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
            # What is shared by reference has codes of the frame, and the two of openapi_refusals.SHARED.
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
        # Tests make errors of their own.
        if error.__module__.startswith("igny8_core."):
            yield error
        yield from _errors_of(error)


def _named(operation_ids: list[str]) -> str:
    return f"{len(operation_ids)} operations" if len(operation_ids) > MOST_NAMED else ", ".join(operation_ids)
