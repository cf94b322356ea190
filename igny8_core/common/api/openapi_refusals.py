"""How the OpenAPI document says what an operation can refuse: in answers that all share, or in its own."""

from typing import Any

from igny8_core.common.api.descriptions import FIELDS

# Notes of schema.ApiSchema on an operation, used up here: error codes by status, and whether its calls are counted.
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
        "code": {"type": "string", "description": "For machines; never changes.", "example": "invalid_input"},
        "errors": {"$ref": "#/components/schemas/FieldErrors"},
        "request_id": {"type": "string", "description": "Quote it to support."},
    },
}
FIELD_ERRORS = {
    "type": "object",
    "description": "Sentences by input field; empty when no field is to blame.",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
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
# Codes that come together at many operations: described once, under these names.
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
# drf-spectacular's text for `responses={409: None}`, the short way to say that an operation can refuse so.
NOT_DESCRIBED = {"", "No response body"}
REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
RETRY_AFTER = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}


def add_refusals(path: str, method: str, operation: dict[str, Any], components: dict[str, Any]) -> None:
    """Put into the operation's `responses` every refusal with its codes; what others have too goes to `components`."""
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
    """Every status that refuses, with the codes that come with it in their order."""
    own: dict[str, list[str]] = operation.pop(REFUSALS, {})
    expected = _frame_statuses(path, method, operation) | own.keys()
    expected |= {status for status in operation["responses"] if status >= "4"}
    codes = {status: {*FRAME_CODES.get(status, []), *own.get(status, [])} for status in sorted(expected)}
    if method in WITH_BODY:
        codes["400"].add("parse_error")
    return {status: tuple(sorted(possible)) for status, possible in codes.items()}


def _frame_statuses(path: str, method: str, operation: dict[str, Any]) -> set[str]:
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
    return expected
