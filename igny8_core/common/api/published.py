"""The OpenAPI document as bytes to send, built once per process."""

import copy
import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from igny8_core.common.api.codes import Code, codes_of
from igny8_core.common.api.openapi import operations
from igny8_core.common.api.schema import OPERATORS

_building = threading.Lock()


@dataclass(frozen=True)
class Document:
    """The document as JSON, plain and gzipped, with the ETag header of each, and its error codes."""

    plain: bytes
    gzipped: bytes
    plain_tag: str
    gzipped_tag: str
    codes: list[Code]


def published(*, for_operators: bool) -> Document:
    """The whole document, or the customers' part of it. Requests that come while it is being built wait."""
    with _building:
        return _documents()[for_operators]


def whole_document() -> dict[str, Any]:
    """The document of every operation, built from the code at each call."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def without_operators(document: dict[str, Any]) -> dict[str, Any]:
    """A copy without the operators' operations and without the components that no other operation uses."""
    rest = copy.deepcopy(document)
    for path, method, operation in list(operations(rest)):
        if OPERATORS in operation["tags"]:
            del rest["paths"][path][method]
    rest["paths"] = {path: item for path, item in rest["paths"].items() if item}
    rest["tags"] = [tag for tag in rest["tags"] if tag["name"] != OPERATORS]
    used = _used_components(rest)
    rest["components"] = {
        kind: {name: part for name, part in parts.items() if kind == "securitySchemes" or (kind, name) in used}
        for kind, parts in rest["components"].items()
    }
    return rest


@cache
def _documents() -> dict[bool, Document]:
    whole = whole_document()
    customers = without_operators(whole)
    return {True: _packed(whole, codes_of(whole)), False: _packed(customers, codes_of(customers, outside=False))}


def _packed(document: dict[str, Any], codes: list[Code]) -> Document:
    plain = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    digest = hashlib.sha256(plain).hexdigest()[:32]
    # Each encoding needs its own tag (RFC 9110 section 8.8.3.3).
    return Document(plain, gzip.compress(plain, mtime=0), f'"{digest}"', f'"{digest}-gzip"', codes)


def _used_components(document: dict[str, Any]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    unread = list(_references(document["paths"]))
    while unread:
        kind, name = unread.pop()
        if (kind, name) not in found:
            found.add((kind, name))
            unread += _references(document["components"][kind][name])
    return found


def _references(part: Any) -> Iterator[tuple[str, str]]:
    """Kind and name of each component that `part` refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            kind, name = part["$ref"].removeprefix("#/components/").split("/")
            yield kind, name
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
