"""Adds the envelope, headers and examples to the OpenAPI document, so that serializers describe the data alone."""

import json
from collections.abc import Iterator
from typing import Any

from igny8_core.common.api.descriptions import FIELDS
from igny8_core.common.api.downloads import BYTES
from igny8_core.common.api.example_operations import ANSWERS, REQUESTS
from igny8_core.common.api.examples import NOT_SAID, example_of
from igny8_core.common.api.openapi_refusals import (
    ERROR_ENVELOPE,
    FIELD_ERRORS,
    JSON,
    NOT_DESCRIBED,
    REQUEST_ID,
    WITH_BODY,
    add_refusals,
)

# Extension of an operation (`extend_schema(extensions={BARE: True})`): its answer has no envelope.
BARE = "x-bare"
# Extension of an operation: its data can be null.
NULLABLE = "x-nullable"

SUCCESSES = {"200": "Done.", "201": "Created."}
METHODS = WITH_BODY | {"get"}


def add_envelopes(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular postprocessing hook: adds success envelopes, refusals, examples and the X-Request-ID header."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for schema in schemas.values():
        # A serializer's docstring is for people who change the code, not for callers.
        schema.pop("description", None)
    schemas |= {"ErrorEnvelope": ERROR_ENVELOPE, "FieldErrors": FIELD_ERRORS}
    components["headers"] = {
        "RequestId": {
            "description": "Id of this request. Give it to support when you report a problem.",
            "schema": {"type": "string"},
        },
        "RetryAfter": {"description": "Seconds to wait before you repeat the request.", "schema": {"type": "integer"}},
    }
    for path, method, operation in operations(result):
        responses = operation.setdefault("responses", {})
        nullable = operation.pop(NULLABLE, False)
        bare = operation.pop(BARE, False)
        for status, response in responses.items():
            if status.startswith("2"):
                if not bare and status != "204":
                    _wrap(response, schemas, nullable)
                _complete(status, response)
        _add_examples(operation, schemas)
        add_refusals(path, method, operation, components)
    _put_defaults_into_words(schemas)
    return result


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation of an OpenAPI document, with its path and its method in lower case."""
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def _put_defaults_into_words(schemas: dict[str, Any]) -> None:
    # Generated clients always send a default. That would overwrite fields that a PATCH leaves out, and an empty default
    # may not even be one of the field's choices.
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            default = field.pop("default", "")
            if default != "":
                text = f"If left out: {json.dumps(default)}."
                field["description"] = f"{field.get('description', '').rstrip('.')}. {text}".removeprefix(". ")


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
    # The page of a list has its envelope already, from EnvelopePagination.
    name = schema.get("$ref", "").rpartition("/")[2]
    return "success" in schemas.get(name, schema).get("properties", {})


def _complete(status: str, response: dict[str, Any]) -> None:
    if response["description"] in NOT_DESCRIBED:
        response["description"] = SUCCESSES.get(status, "Done.")
    response["headers"] = REQUEST_ID
    content = response.get("content", {})
    file = next((media for media in content.values() if media["schema"].get("format") == "binary"), None)
    if file:
        # Callers that accept no PDFs or pictures can ask for bytes (ApiView.finalize_response).
        content[BYTES] = file


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
