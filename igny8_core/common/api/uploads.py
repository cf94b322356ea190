"""Reads exactly one file from a multipart body, or refuses it with a sentence (INP-07).

Django's parser reads the parts. It also accepts bodies that are cut off or ambiguous, so those are refused first.
"""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext
from rest_framework.exceptions import ParseError, UnsupportedMediaType, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from igny8_core.common.api.exceptions import PayloadTooLarge
from igny8_core.common.api.parsers import MAX_UPLOAD_BYTES
from igny8_core.common.marks import gettext_noop

FILE = "file"
# More than one, so that the refusal can name an unknown field beside the file.
MAX_PARTS = 3
# Django ignores longer headers of a part.
MAX_PART_HEADERS = 1024
BOUNDARY_NAMED = re.compile(r";\s*boundary\s*=", re.IGNORECASE)
HEADERS = re.compile(rb"(?:\r\n[A-Za-z0-9-]{1,70}:[^\x00-\x1f\x7f]*+)++")

MISSING = gettext_noop("The file is missing. Send multipart/form-data with one part named file.")
CUT_OFF = gettext_noop("The multipart body is malformed or cut off. Send one part named file, ended by the boundary.")
NO_BOUNDARY = gettext_noop(
    "The Content-Type has no boundary of 1 to 70 characters. Let your HTTP client write this header."
)
ONE_FILE = gettext_noop("More than one file was sent. Send one file at a time.")


class StrictMultiPartParser(BaseParser):
    """Parses `multipart/form-data` with one part, a file named `file`, into {"file": its bytes}.

    The file name and type that the sender gives are ignored. Raises ParseError or ValidationError (400) for any other
    body, PayloadTooLarge (413) above 6 MB.
    """

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, bytes]:
        """Read and check the body; see the class."""
        kind, _, parameters = (media_type or "").partition(";")
        # DRF would also accept the wildcard */* as multipart, as it does for renderers.
        if kind.strip().lower() != self.media_type:
            raise UnsupportedMediaType(media_type or "")
        boundary = _boundary(parameters)
        body: bytes = stream.read(MAX_UPLOAD_BYTES + 1)
        if len(body) > MAX_UPLOAD_BYTES:
            raise PayloadTooLarge(
                gettext("The request body is too large. The limit is %(value)s MB.")
                % {"value": MAX_UPLOAD_BYTES // 1024 // 1024}
            )
        _require_whole(body, boundary)
        return {FILE: _only_file(body, f"{self.media_type};{parameters}")}


class _InMemory(MemoryFileUploadHandler):
    """Keeps every file in memory, where the body already is, so that no unchecked file is written to disk."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True


def uploaded_file(request: Request) -> bytes:
    """The bytes of the uploaded file, in a view with StrictMultiPartParser. Raises ValidationError if it is empty."""
    data: Any = request.data
    content = data.get(FILE)
    if not content:
        raise ValidationError(
            {FILE: [MISSING if content is None else gettext("The file is empty. Choose another file.")]}
        )
    return bytes(content)


def _boundary(parameters: str) -> bytes:
    """The boundary in a Content-Type. Raises ParseError unless it is named once."""
    try:
        boundary = parse_header_parameters(f";{parameters}")[1].get("boundary", "")
    except ValueError:
        boundary = ""
    # If there were two, a proxy could use the other one.
    is_named_once = len(BOUNDARY_NAMED.findall(f";{parameters}")) == 1
    if not is_named_once or not boundary.isascii() or not 1 <= len(boundary) <= 70:
        raise ParseError(NO_BOUNDARY)
    return boundary.encode("ascii")


def _require_whole(body: bytes, boundary: bytes) -> None:
    """Refuse a body with anything before, between or after its parts. Raises ParseError, ValidationError."""
    if body.count(b"--" + boundary) > MAX_PARTS + 1:
        raise ValidationError({FILE: [ONE_FILE]})
    first, *parts = body.split(b"--" + boundary)
    if first or not parts or parts[-1] not in (b"--", b"--\r\n"):
        raise ParseError(CUT_OFF)
    for part in parts[:-1]:
        _require_plain_headers(part)


def _require_plain_headers(part: bytes) -> None:
    end = part.find(b"\r\n\r\n", 0, MAX_PART_HEADERS)
    if end < 0 or not part.endswith(b"\r\n"):
        raise ParseError(CUT_OFF)
    headers = part[:end]
    lines = headers.split(b"\r\n")[1:]
    names = {line.partition(b":")[0].lower() for line in lines}
    has_open_quote = any(line.count(b'"') % 2 for line in lines)
    if not HEADERS.fullmatch(headers) or len(names) < len(lines) or has_open_quote:
        raise ParseError(
            gettext("A header of the multipart body is malformed or appears twice. Let your HTTP client write it.")
        )
    try:
        headers.decode("utf-8")
    except UnicodeDecodeError:
        raise ParseError(gettext("The headers of the multipart body are not valid UTF-8.")) from None


def _only_file(body: bytes, content_type: str) -> bytes:
    """The content of the one file in the body. Raises ParseError, ValidationError."""
    described = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": len(body)}
    try:
        fields, files = MultiPartParser(described, BytesIO(body), [_InMemory()], "utf-8").parse()
    except MultiPartParserError:
        raise ParseError(CUT_OFF) from None
    unknown = {*fields, *files} - {FILE}
    if unknown:
        sentence = gettext("Unknown field. Known fields: %(file)s.") % {"file": FILE}
        raise ValidationError({name[:100]: [sentence] for name in sorted(unknown)}, code="unknown_field")
    if FILE in fields:
        raise ValidationError({FILE: [gettext("A file is expected. Give the part a filename.")]})
    sent = files.getlist(FILE)
    if len(sent) != 1:
        raise ValidationError({FILE: [ONE_FILE if sent else MISSING]})
    content: bytes = sent[0].read()
    return content
