"""The JSON parser of the API: it accepts one object in UTF-8 and refuses anything ambiguous."""

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from igny8_core.common.api.exceptions import PayloadTooLarge

MAX_BODY_BYTES = 1024 * 1024
# A file of 5 MB, and the parts and headers around it.
MAX_UPLOAD_BYTES = 6 * 1024 * 1024
MAX_DEPTH = 32

# A whole string, or one bracket. Possessive quantifiers, so that no input makes it backtrack.
BRACKETS_OUTSIDE_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class StrictJSONParser(BaseParser):
    """Parses `application/json`; an empty body counts as `{}`.

    The body must be one UTF-8 JSON object of at most 32 levels, with unique keys, finite numbers and text that
    PostgreSQL can store. Raises ParseError (400) otherwise, PayloadTooLarge (413) above 1 MB.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Read and check the body; see the class."""
        _require_json_label(media_type or "")
        _require_utf8_label(media_type or "")
        body: bytes = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge()
        return parse_object(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises ParseError as StrictJSONParser does."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise ParseError(_("The body is not valid UTF-8.")) from None
    if not text.strip():
        return {}
    _refuse_deep_nesting(text)
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_sized_int
        )
    except json.JSONDecodeError as error:
        raise ParseError(
            _("The body is not valid JSON: line %(lineno)s, column %(colno)s.")
            % {"lineno": error.lineno, "colno": error.colno}
        ) from None
    if not isinstance(value, dict):
        raise ParseError(_('The body must be a JSON object, such as {"name": "value"}.'))
    # Such text can come from escapes alone: UTF-8 decoding and the JSON grammar refuse it unescaped.
    if "\\u" in text:
        _refuse_unstorable_text(value)
    return value


def _require_json_label(media_type: str) -> None:
    # DRF would also accept the wildcard */* as JSON, as it does for renderers.
    if media_type.partition(";")[0].strip().lower() != StrictJSONParser.media_type:
        raise UnsupportedMediaType(media_type)


def _require_utf8_label(media_type: str) -> None:
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]*)", media_type, re.IGNORECASE)
    if charset and charset.group(1).lower() not in {"utf-8", "utf8"}:
        raise ParseError(_("The body must be JSON in UTF-8. Leave the charset out, or set it to utf-8."))


def _refuse_deep_nesting(text: str) -> None:
    # Checked before parsing: Python's parser recurses, and would end in an internal error (INP-04).
    depth = 0
    for match in BRACKETS_OUTSIDE_STRINGS.finditer(text):
        character = match.group()[0]
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ParseError(
                    _("The JSON is nested too deeply. The limit is %(max_depth)s levels.") % {"max_depth": MAX_DEPTH}
                )
        elif character in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ParseError(_("The name %(value)s appears twice in one JSON object.") % {"value": f"{name[:100]!a}"})
        result[name] = value
    return result


def _no_constant(name: str) -> None:
    raise ParseError(_("%(name)s is not a JSON number.") % {"name": name})


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ParseError(_("A number in the body is too large."))
    return value


def _sized_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        # Python refuses more than 4300 digits, because converting them takes quadratic time.
        raise ParseError(_("A number in the body is too large.")) from None


def _refuse_unstorable_text(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise ParseError(_("The body holds text that cannot be stored: a NUL or half of a surrogate pair."))
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable_text(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_unstorable_text(name)
            _refuse_unstorable_text(item)
