"""Puts the envelope into the OpenAPI document, so that serializers describe only the data."""

from collections.abc import Iterator
from typing import Any

from igny8_core.common.api.descriptions import FIELDS
from igny8_core.common.api.example_operations import ANSWERS, REQUESTS
from igny8_core.common.api.examples import NOT_SAID, example_of

# On an operation (`extend_schema(extensions={BARE: True})`): the answer is the schema itself, without an envelope.
BARE = "x-bare"
# On an operation: its data can be null.
NULLABLE = "x-nullable"
# Notes of schema.ApiSchema on an operation, used up here: error codes by status, and whether its calls are counted.
REFUSALS = "x-refusals"
THROTTLED = "x-throttled"
AUTHENTICATES = "x-authenticates"
JSON = "application/json"

ERROR_ENVELOPE = {
    "type": "object",
    "required": ["success", "message", "code", "errors", "request_id"],
    "properties": {
        "success": {"type": "boolean", "const": False, "description": FIELDS["success"]},
        "message": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "For machines; never changes.", "example": "invalid_input"},
        "errors": {
            "type": "object",
            "description": "Sentences by input field; empty when no field is to blame.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "request_id": {"type": "string", "description": FIELDS["request_id"]},
    },
}

SUCCESSES = {"200": "Done.", "201": "Made."}
ERRORS = {
    "400": "Invalid input: see errors.",
    "401": "No credential, or a dead one.",
    "403": "Your role may not do this.",
    "402": "Not paid, or not enough credits.",
    "404": "Absent, or another account's.",
    "406": "Only application/json is answered.",
    "409": "The state does not allow it: see code.",
    "410": "Expired, used or withdrawn.",
    "413": "The body is larger than the limit.",
    "415": "Only application/json is taken.",
    "422": "The Idempotency-Key was used for another request.",
    "429": "Too many requests: see Retry-After.",
    "503": "A needed part is down or busy: see Retry-After.",
}
# Codes that come from the frame around every operation (exceptions.py, middleware.py), by status.
FRAME_CODES = {
    "400": ["invalid_input", "bad_request"],
    "401": ["not_authenticated", "authentication_failed"],
    "403": ["permission_denied"],
    "404": ["not_found"],
    "406": ["not_acceptable"],
    "413": ["payload_too_large"],
    "415": ["unsupported_media_type"],
    "429": ["throttled"],
    "503": ["temporarily_unavailable"],
}
# drf-spectacular's text for `responses={409: None}`, the short way to say that an operation can refuse so.
NOT_DESCRIBED = "No response body"
WITH_BODY = {"post", "put", "patch", "delete"}
METHODS = WITH_BODY | {"get"}


def add_envelopes(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular postprocessing hook: success envelopes, shared error answers, the X-Request-ID header."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["ErrorEnvelope"] = ERROR_ENVELOPE
    components["headers"] = {
        "RequestId": {"description": "Quote it to support.", "schema": {"type": "string"}},
        "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    }
    for path, method, operation in _operations(result):
        responses = operation.setdefault("responses", {})
        nullable = operation.pop(NULLABLE, False)
        if not operation.pop(BARE, False):
            for status, response in responses.items():
                if status.startswith("2") and status != "204":
                    _wrap(response, schemas, nullable)
        _add_examples(operation, schemas)
        _add_errors(responses, _expected_codes(path, method, operation, responses))
        for status, response in responses.items():
            response["description"] = response["description"] or SUCCESSES.get(status, "Done.")
            response.setdefault("headers", {})["X-Request-ID"] = {"$ref": "#/components/headers/RequestId"}
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in result.get("paths", {}).items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def _wrap(response: dict[str, Any], schemas: dict[str, Any], nullable: bool) -> None:
    content = response.setdefault("content", {JSON: {"schema": {"type": "null"}}})
    media = content.get(JSON)
    if media is None or _has_envelope(media["schema"], schemas):
        return
    data = {"oneOf": [media["schema"], {"type": "null"}]} if nullable else media["schema"]
    properties = {
        "success": {"type": "boolean", "const": True, "description": FIELDS["success"]},
        "message": {"type": "string", "description": "A sentence for people; can be empty."},
        "data": {**data, "description": FIELDS["data"]},
    }
    media["schema"] = {"type": "object", "required": list(properties), "properties": properties}
    for example in media.get("examples", {}).values():
        example["value"] = {"success": True, "message": "", "data": example["value"]}


def _has_envelope(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    # A page of a list: EnvelopePagination has described it whole.
    name = schema.get("$ref", "").rpartition("/")[2]
    return "success" in schemas.get(name, schema).get("properties", {})


def _expected_codes(
    path: str, method: str, operation: dict[str, Any], responses: dict[str, Any]
) -> dict[str, list[str]]:
    """Every status that refuses, with the codes that come with it."""
    expected = {"400", "406", "503"}
    # Also where no token is needed, one that is sent must be good.
    if operation.pop(AUTHENTICATES, False):
        expected.add("401")
    if operation.get("security"):
        expected |= {"401", "403"}
    if "{" in path or any(parameter["name"] == "page" for parameter in operation.get("parameters", [])):
        expected.add("404")
    if method in WITH_BODY:
        expected |= {"413", "415"}
    if operation.pop(THROTTLED, False):
        expected.add("429")
    own: dict[str, list[str]] = operation.pop(REFUSALS, {})
    expected |= own.keys() | {status for status in responses if status >= "4"}
    codes = {status: [*FRAME_CODES.get(status, []), *own.get(status, [])] for status in sorted(expected)}
    if method in WITH_BODY:
        codes["400"].append("parse_error")
    return codes


def _add_errors(responses: dict[str, Any], codes: dict[str, list[str]]) -> None:
    for status, possible in codes.items():
        response = responses.setdefault(status, {"description": ""})
        if response["description"] in {"", NOT_DESCRIBED}:
            response["description"] = ERRORS[status]
        code = {"type": "string", "enum": sorted(set(possible))}
        envelope = {"allOf": [{"$ref": "#/components/schemas/ErrorEnvelope"}], "properties": {"code": code}}
        response["content"] = {JSON: {"schema": envelope}}
        if status in {"429", "503"}:
            response["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    name = operation["operationId"]
    bodies = [(operation.get("requestBody", {}), REQUESTS.get(name, NOT_SAID))]
    answered = ANSWERS.get(name, NOT_SAID)
    said = NOT_SAID if answered is NOT_SAID else {"data": answered}
    bodies += [(response, said) for status, response in operation["responses"].items() if status.startswith("2")]
    for body, known in bodies:
        media = body.get("content", {}).get(JSON)
        if media and "examples" not in media:
            media["example"] = example_of(media["schema"], schemas, known)
