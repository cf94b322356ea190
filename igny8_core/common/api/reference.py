"""The API's reference page (docs/api.md), written from the OpenAPI document: one section and one curl per operation."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

from igny8_core.common.api.openapi import JSON, METHODS

INTRODUCTION = """# API reference

Written by `manage.py write_api_reference` from the code; a test compares. The same as OpenAPI 3.1: `/api/schema/`, to
try out: `/api/docs/`.

Every answer has the same envelope: `{"success": true, "message": "…", "data": …}`, lists
`{"success": true, "data": […], "count": n, "next": …, "previous": …}`, refusals
`{"success": false, "message": "…", "code": "…", "errors": {"field": ["…"]}, "request_id": "…"}`. `message` is for
people, `code` for programs and never changes. Money is text in the currency's own decimals, times are ISO 8601 in UTC.
`count` is exact up to 10,000; 10,001 says that there are more. Lists end at row 100,000: narrow them with filters.

The examples use two variables:

```bash
API=http://localhost:8011
TOKEN=...   # data.token of POST /api/v1/auth/login/
```

Every operation can also answer 400 `bad_request`, 406 `not_acceptable` and 503 `temporarily_unavailable`; with a token
401 and 403; with a body 400 `parse_error`, 413 and 415. These are not repeated below.
"""
# Said once, above.
EVERYWHERE = {
    ("400", "bad_request"),
    ("400", "parse_error"),
    ("401", "authentication_failed"),
    ("401", "not_authenticated"),
    ("403", "permission_denied"),
    ("406", "not_acceptable"),
    ("413", "payload_too_large"),
    ("415", "unsupported_media_type"),
    ("503", "temporarily_unavailable"),
}


def as_markdown(document: dict[str, Any]) -> str:
    """The reference page of an OpenAPI document of ours."""
    sections = [INTRODUCTION]
    for tag in document["tags"]:
        sections.append(f"## {tag['name'].capitalize()}\n\n{tag['description']}.\n")
        sections += [_section(*found, document) for found in _operations(document, tag["name"])]
    return "\n".join(sections)


def _operations(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS and tag in operation["tags"]:
                yield path, method.upper(), operation


def _section(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    schemas = document["components"]["schemas"]
    parts = [f"### {method} {path}\n", f"{operation['description']}\n"]
    for title, rows in (("Parameters", _parameters(operation)), ("Body", _fields(operation, schemas))):
        if rows:
            parts.append("\n".join([f"| {title} | | |", "|---|---|---|", *rows]) + "\n")
    parts.append(f"```bash\n{_curl(path, method, operation)}\n```\n")
    parts.append(f"{_answer(operation)}\n")
    refusals = _refusals(operation)
    if refusals:
        parts.append(f"Refusals: {refusals}\n")
    return "\n".join(parts)


def _parameters(operation: dict[str, Any]) -> list[str]:
    return [
        _row(parameter["name"], parameter.get("required", False), parameter["schema"], parameter.get("description", ""))
        for parameter in operation.get("parameters", [])
        if parameter["in"] != "path"
    ]


def _fields(operation: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    schema = next(iter(content.values()))["schema"] if content else {}
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    required = schema.get("required", [])
    return [
        _row(name, name in required, _plain(field, schemas), field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]


def _plain(field: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    for key in ("allOf", "oneOf"):
        if key in field:
            return _plain(field[key][0], schemas)
    return schemas[field["$ref"].rpartition("/")[2]] if "$ref" in field else field


def _row(name: str, required: bool, schema: dict[str, Any], description: str) -> str:
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else " or ".join(kind)
    choices = [f"`{choice}`" for choice in schema.get("enum", []) if choice not in ("", None)]
    words = [kind, *([schema["format"]] if "format" in schema else [])]
    # The generator adds the choices as a list, which no cell of a table can hold; they are named below.
    description = description.partition("\n")[0]
    text = ". ".join(
        part.rstrip(".") for part in (description, "One of " + ", ".join(choices) if choices else "") if part
    )
    return f"| `{name}`{' (required)' if required else ''} | {', '.join(words)} | {text.replace('|', '/')} |"


def _curl(path: str, method: str, operation: dict[str, Any]) -> str:
    address = path
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            address = address.replace(f"{{{parameter['name']}}}", "1")
    query = "&".join(
        f"{parameter['name']}={parameter.get('example', '…')}"
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query" and parameter.get("required")
    )
    lines = [f'curl {"" if method == "GET" else f"-X {method} "}"$API{address}{f"?{query}" if query else ""}"']
    if operation.get("security"):
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", [])):
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    lines += _body_options(operation)
    return " \\\n  ".join(lines)


def _body_options(operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return ["-F file=@receipt.png"]
    if JSON not in content:
        return []
    example = json.dumps(content[JSON].get("example", {}), ensure_ascii=False)
    return [f"-H 'Content-Type: {JSON}'", f"-d {shlex.quote(example)}"]


def _answer(operation: dict[str, Any]) -> str:
    status, response = next((code, found) for code, found in operation["responses"].items() if code.startswith("2"))
    media = response.get("content", {}).get(JSON)
    if media is None:
        kind = next(iter(response.get("content", {"nothing": {}})))
        return f"Answers {status} with {kind}."
    text = json.dumps(media.get("example"), indent=2, ensure_ascii=False)
    return f"Answers {status}:\n\n```json\n{text}\n```"


def _refusals(operation: dict[str, Any]) -> str:
    found = []
    for status, response in operation["responses"].items():
        if status < "4":
            continue
        codes = response["content"][JSON]["schema"]["properties"]["code"]["enum"]
        named = [f"`{code}`" for code in codes if (status, code) not in EVERYWHERE]
        if named:
            found.append((status, f"{status} {', '.join(named)}"))
    return "; ".join(text for _, text in sorted(found)) + ("." if found else "")
