"""Puts the envelope into the OpenAPI document, so that serializers describe only the data."""

from collections.abc import Iterator
from typing import Any

# On an operation (`extend_schema(extensions={BARE: True})`): the answer is the schema itself, without an envelope.
BARE = "x-bare"
JSON = "application/json"

ERROR_ENVELOPE = {
    "type": "object",
    "required": ["success", "message", "code", "errors", "request_id"],
    "properties": {
        "success": {"type": "boolean", "const": False},
        "message": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "For machines; never changes.", "example": "invalid_input"},
        "errors": {
            "type": "object",
            "description": "Sentences by input field; empty when no field is to blame.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "request_id": {"type": "string"},
    },
}

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
        if not operation.pop(BARE, False):
            for status, response in responses.items():
                if status.startswith("2") and status != "204":
                    _wrap(response, schemas)
        _add_errors(responses, _expected_errors(path, method, operation))
        for response in responses.values():
            response.setdefault("headers", {})["X-Request-ID"] = {"$ref": "#/components/headers/RequestId"}
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in result.get("paths", {}).items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def _wrap(response: dict[str, Any], schemas: dict[str, Any]) -> None:
    content = response.setdefault("content", {JSON: {"schema": {"type": "null"}}})
    media = content.get(JSON)
    if media is None or _has_envelope(media["schema"], schemas):
        return
    properties = {
        "success": {"type": "boolean", "const": True},
        "message": {"type": "string"},
        "data": media["schema"],
    }
    media["schema"] = {"type": "object", "required": list(properties), "properties": properties}
    for example in media.get("examples", {}).values():
        example["value"] = {"success": True, "message": "", "data": example["value"]}


def _has_envelope(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    # A page of a list: EnvelopePagination has described it whole.
    name = schema.get("$ref", "").rpartition("/")[2]
    return "success" in schemas.get(name, schema).get("properties", {})


def _expected_errors(path: str, method: str, operation: dict[str, Any]) -> set[str]:
    expected = {"400", "406", "429", "503"}
    if operation.get("security"):
        expected |= {"401", "403"}
    if "{" in path or any(parameter["name"] == "page" for parameter in operation.get("parameters", [])):
        expected.add("404")
    if method in WITH_BODY:
        expected |= {"413", "415"}
    return expected


def _add_errors(responses: dict[str, Any], expected: set[str]) -> None:
    for status in sorted(expected | {status for status in responses if status >= "4"}):
        response = responses.setdefault(status, {"description": ""})
        if response["description"] in {"", NOT_DESCRIBED}:
            response["description"] = ERRORS[status]
        response["content"] = {JSON: {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}}}
        if status in {"429", "503"}:
            response["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
