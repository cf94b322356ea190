"""Adds the refusals of each operation to the OpenAPI document: shared answers where possible, else its own."""

from typing import Any

from igny8_core.common.api.descriptions import FIELDS

# Extensions that schema.ApiSchema puts on an operation and this module removes: its error codes by status, whether it
# has a rate limit, and whether it reads a token.
REFUSALS = "x-refusals"
THROTTLED = "x-throttled"
AUTHENTICATES = "x-authenticates"
JSON = "application/json"
WITH_BODY = {"post", "put", "patch", "delete"}

ERROR_ENVELOPE = {
    "type": "object",
    "required": ["success", "message", "code", "errors", "request_id"],
    "properties": {
        "success": {"type": "boolean", "const": False, "description": FIELDS["success"]},
        "message": {"type": "string", "description": "A sentence for people."},
        "code": {
            "type": "string",
            "description": "Error code, for programs. It never changes.",
            "example": "invalid_input",
        },
        "errors": {"$ref": "#/components/schemas/FieldErrors"},
        "request_id": {
            "type": "string",
            "description": "Id of this request. Give it to support when you report a problem.",
        },
    },
}
FIELD_ERRORS = {
    "type": "object",
    "description": "For each wrong input field, sentences that say what is wrong; empty if no field is wrong.",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}
ERRORS = {
    "400": "The input is not valid: see errors.",
    "401": "No token was sent, or it is no longer valid.",
    "402": "The account has not paid, or has too few credits.",
    "403": "Your role may not do this.",
    "404": "It does not exist, or belongs to another account.",
    "406": "Answers are application/json: see the Accept header.",
    "409": "The current state does not allow this: see code.",
    "410": "It has expired, was used or was withdrawn.",
    "413": "The body is larger than the limit.",
    "415": "The body must be application/json.",
    "422": "The Idempotency-Key was used for another request.",
    "429": "Too many requests: see Retry-After.",
    "503": "A part of the service is down or busy: see Retry-After.",
}
# Codes that any operation can answer with (exceptions.py, middleware.py), by status.
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
# Sets of codes that many operations share: described once, under these names.
SHARED = {
    ("bad_request", "invalid_input"): "InvalidQuery",
    ("bad_request", "invalid_input", "parse_error"): "InvalidInput",
    ("authentication_failed", "not_authenticated"): "NotAuthenticated",
    ("permission_denied",): "PermissionDenied",
    ("not_found",): "NotFound",
    ("not_acceptable",): "NotAcceptable",
    ("payment_required",): "PaymentRequired",
    ("idempotency_key_reused",): "IdempotencyKeyReused",
    ("payload_too_large",): "PayloadTooLarge",
    ("unsupported_media_type",): "UnsupportedMediaType",
    ("throttled",): "Throttled",
    ("temporarily_unavailable",): "TemporarilyUnavailable",
}
# drf-spectacular's description for `responses={409: None}`, our short way to declare a refusal.
NOT_DESCRIBED = {"", "No response body"}
REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
RETRY_AFTER = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}


def add_refusals(path: str, method: str, operation: dict[str, Any], components: dict[str, Any]) -> None:
    """Add every refusal with its codes to the operation's `responses`; shared refusals go to `components`."""
    responses = operation["responses"]
    for status, codes in _expected_codes(path, method, operation).items():
        description = responses.get(status, {}).get("description", "")
        name = SHARED.get(codes)
        if name and description in NOT_DESCRIBED:
            _share(name, status, codes, components)
            responses[status] = {"$ref": f"#/components/responses/{name}"}
        else:
            text = ERRORS[status] if description in NOT_DESCRIBED else description
            responses[status] = _answer(status, text, _schema(codes))


def _share(name: str, status: str, codes: tuple[str, ...], components: dict[str, Any]) -> None:
    schema = f"{name}Error"
    components["schemas"][schema] = _schema(codes)
    components.setdefault("responses", {})[name] = _answer(
        status, ERRORS[status], {"$ref": f"#/components/schemas/{schema}"}
    )


def _answer(status: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    headers = REQUEST_ID | RETRY_AFTER if status in {"429", "503"} else REQUEST_ID
    return {"description": description, "headers": headers, "content": {JSON: {"schema": schema}}}


def _schema(codes: tuple[str, ...]) -> dict[str, Any]:
    code = {"type": "string", "enum": list(codes)}
    return {"allOf": [{"$ref": "#/components/schemas/ErrorEnvelope"}], "properties": {"code": code}}


def _expected_codes(path: str, method: str, operation: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Each status of a refusal with its possible codes, sorted."""
    own: dict[str, list[str]] = operation.pop(REFUSALS, {})
    expected = _frame_statuses(path, method, operation) | own.keys()
    expected |= {status for status in operation["responses"] if status >= "4"}
    codes = {status: {*FRAME_CODES.get(status, []), *own.get(status, [])} for status in sorted(expected)}
    if method in WITH_BODY:
        codes["400"].add("parse_error")
    return {status: tuple(sorted(possible)) for status, possible in codes.items()}


def _frame_statuses(path: str, method: str, operation: dict[str, Any]) -> set[str]:
    expected = {"400", "406", "503"}
    # A token that is sent must be valid, even where none is needed.
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
    return expected
