"""Makes the examples in the OpenAPI document, from its schemas and the values in example_values.py."""

from collections.abc import Mapping
from typing import Any

from igny8_core.common.api.example_values import BY_COMPONENT, BY_FORMAT, BY_NAME, LEFT_OUT

MAX_DEPTH = 8
# No value is known for this place. None is a value: null.
NOT_SAID: Any = object()


def example_of(
    schema: dict[str, Any], components: dict[str, Any], said: Any = NOT_SAID, name: str = "", depth: int = 0
) -> Any:
    """An example of `schema` (OpenAPI 3.1); `components` holds the schemas that it refers to.

    `said` is the known part of the value: all of it, some fields of an object, or the items of an array.
    """
    schema, component = _resolved(schema, components)
    if said is NOT_SAID and not component and name in BY_NAME:
        said = BY_NAME[name]
    properties, items = schema.get("properties"), schema.get("items")
    if properties and (said is NOT_SAID or isinstance(said, dict)):
        known = component | ({} if said is NOT_SAID else said)
        return _object(properties, components, known, depth) if depth < MAX_DEPTH else {}
    if items and (said is NOT_SAID or isinstance(said, list)):
        singular = name.removesuffix("s")
        listed = [NOT_SAID] if said is NOT_SAID else said
        return [example_of(items, components, one, singular, depth + 1) for one in listed]
    return said if said is not NOT_SAID else _simple(schema)


def _object(properties: dict[str, Any], components: dict[str, Any], known: Mapping[str, Any], depth: int) -> Any:
    shown = {name: schema for name, schema in properties.items() if known.get(name) is not LEFT_OUT}
    return {
        name: example_of(schema, components, known.get(name, NOT_SAID), name, depth + 1)
        for name, schema in shown.items()
    }


def _simple(schema: dict[str, Any]) -> Any:
    for key in ("example", "const", "default"):
        if schema.get(key) not in (None, ""):
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object" if "additionalProperties" in schema else "string")
    if isinstance(kind, list):
        kind = next((choice for choice in kind if choice != "null"), "null")
    if kind == "string":
        return BY_FORMAT.get(schema.get("format", ""), "text")
    return {"boolean": True, "null": None, "object": {}, "array": []}.get(kind, schema.get("minimum", 1) or 1)


def _resolved(schema: dict[str, Any], components: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema behind references and choices, with its values in BY_COMPONENT."""
    said: dict[str, Any] = {}
    while True:
        one_of = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf", ())
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            said, schema = BY_COMPONENT.get(_base_name(name), {}), components[name]
        elif one_of:
            schema = one_of[0]
        else:
            return schema, said


def _base_name(component: str) -> str:
    return component.removeprefix("Patched").removesuffix("Request")
