"""A multipart parser that takes exactly one file, or answers with a sentence (threats.md INP-07)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from igny8_core.common.api.exceptions import PayloadTooLarge
from igny8_core.common.api.parsers import MAX_UPLOAD_BYTES

FILE = "file"
MAX_PART_HEADERS = 4096
# RFC 2046 section 5.1.1.
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
# A value in quotes, in which a backslash takes the next character with it, or a plain one.
PARAMETER = re.compile(r';\s*+([!#$%&*+\-.^_`|~0-9A-Za-z]++)=(?:"((?:[^"\\]|\\.)*+)"|([^\s;"]++))\s*+')
HEADER = re.compile(r"([A-Za-z0-9-]{1,70}):[ \t]*+([^\x00-\x08\x0a-\x1f\x7f]*+)")
# What a part's content may be sent as: as it is.
ENCODINGS = {"binary", "8bit", "7bit"}

MISSING = "A file is expected: send multipart/form-data with one part named file."
CUT_OFF = "The multipart body is broken or cut off. Send one part named file, ended by the boundary."


@dataclass(frozen=True)
class Part:
    """A piece of a multipart body; `is_file` tells a file from a form's field."""

    name: str
    is_file: bool
    content: bytes


class StrictMultiPartParser(BaseParser):
    """Parses `multipart/form-data` with one part, a file named `file`, into {"file": its bytes}.

    What the sender says of the file, its name and type, is read past. Raises ParseError or ValidationError (400) for
    anything else, PayloadTooLarge (413) above 6 MB.
    """

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, bytes]:
        """Read and check the body; see the class."""
        boundary = _boundary(media_type or "")
        body: bytes = stream.read(MAX_UPLOAD_BYTES + 1)
        if len(body) > MAX_UPLOAD_BYTES:
            raise PayloadTooLarge(f"The request body is too large. The limit is {MAX_UPLOAD_BYTES // 1024 // 1024} MB.")
        parts = [_part(raw) for raw in _raw_parts(body, boundary)]
        unknown = {part.name for part in parts if part.name != FILE}
        if unknown:
            sentence = f"Unknown field. Known fields: {FILE}."
            raise ValidationError({name[:100]: [sentence] for name in sorted(unknown)[:50]}, code="unknown_field")
        if len(parts) != 1:
            raise ValidationError({FILE: ["Send one file at a time."]})
        if not parts[0].is_file:
            raise ValidationError({FILE: ["A file is expected: the part needs a filename."]})
        return {FILE: parts[0].content}


def uploaded_file(request: Request) -> bytes:
    """The file that a request to a view with StrictMultiPartParser holds; raises ValidationError for an empty one."""
    data: Any = request.data
    content = data.get(FILE)
    if not content:
        raise ValidationError({FILE: [MISSING if content is None else "The file is empty."]})
    return bytes(content)


def _boundary(media_type: str) -> bytes:
    kind, _, parameters = media_type.partition(";")
    # DRF chooses parsers as it chooses renderers, by which the wildcard */* would be multipart too.
    if kind.strip().lower() != StrictMultiPartParser.media_type:
        raise UnsupportedMediaType(media_type)
    boundary = _parameters(f";{parameters}" if parameters else "").get("boundary", "")
    if not BOUNDARY.fullmatch(boundary):
        raise ParseError("The Content-Type names no boundary of 1 to 70 characters. Let your HTTP client write it.")
    return boundary.encode("ascii")


def _raw_parts(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the boundaries, from the first byte to the last; raises ParseError."""
    delimiter = b"\r\n--" + boundary
    first, *parts = (b"\r\n" + body).split(delimiter)
    if first or not parts or parts[-1] not in (b"--", b"--\r\n"):
        raise ParseError(CUT_OFF)
    if len(parts) > 3:
        raise ValidationError({FILE: ["Send one file at a time."]})
    return parts[:-1]


def _part(raw: bytes) -> Part:
    head, end, content = raw.partition(b"\r\n\r\n")
    if not end or not head.startswith(b"\r\n") or len(head) > MAX_PART_HEADERS:
        raise ParseError(CUT_OFF)
    headers = _headers(head[2:])
    kind, _, _ = headers.get("content-disposition", "").partition(";")
    if kind.strip().lower() != "form-data":
        raise ParseError("Each part of the body needs a Content-Disposition: form-data.")
    if headers.get("content-transfer-encoding", "binary").lower() not in ENCODINGS:
        raise ParseError("Send the file as it is, without a Content-Transfer-Encoding.")
    disposition = _parameters(headers["content-disposition"][len(kind) :])
    return Part(disposition.get("name", ""), bool({"filename", "filename*"} & set(disposition)), content)


def _headers(head: bytes) -> dict[str, str]:
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        raise ParseError("The headers of a part are not valid UTF-8.") from None
    headers: dict[str, str] = {}
    for line in lines:
        match = HEADER.fullmatch(line)
        if not match or match[1].lower() in headers:
            raise ParseError("A header of a part is malformed or appears twice.")
        headers[match[1].lower()] = match[2].strip()
    return headers


def _parameters(text: str) -> dict[str, str]:
    """The parameters behind a header's value, such as `; name="file"`; raises ParseError."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = PARAMETER.match(text, position)
        if not match or match[1].lower() in found:
            raise ParseError(f"The parameters of a header are malformed: {text[:100]!a}.")
        found[match[1].lower()] = match[2] if match[2] is not None else match[3]
        position = match.end()
    return found
