"""A PDF, written anew: its pages as they look, and nothing that acts, hides or comes along."""

import zlib
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream
from pikepdf.settings import set_qpdf_limits

from .jpeg_segments import without_metadata
from .pdf_words import (
    CODING_PARAMETERS,
    LOOKS,
    NAMED_BY_AUTHOR,
    PAGE,
    PICTURE_CODINGS,
    PLAIN_CODINGS,
    RESOURCE_KINDS,
)
from .refusal import Refused

MAX_PAGES = 20
MAX_OBJECTS = 20_000
MAX_UNPACKED_BYTES = 100 * 1024 * 1024
# An A4 page at 600 dots an inch has 35 million, in black and white.
MAX_PIXELS = 50_000_000

# What the keys of a dictionary are: words of the format, kinds of resources, or names that its author chose.
WORDS, KINDS, NAMES = "words", "kinds", "names"


def rewritten(content: bytes) -> bytes:
    """The same pages in a new file. Raises Refused, or whatever pikepdf raises for a file that is broken."""
    set_qpdf_limits(
        flate_max_memory=MAX_UNPACKED_BYTES,
        run_length_max_memory=MAX_UNPACKED_BYTES,
        png_max_memory=MAX_UNPACKED_BYTES,
        tiff_max_memory=MAX_UNPACKED_BYTES,
        max_stream_filters=3,
        parser_max_nesting=50,
        doc_max_warnings=100,
    )
    source = _opened(content)
    # Links, buttons and filled-in fields: what can be seen of them becomes part of the page.
    source.flatten_annotations("all")
    target = Pdf.new()
    copier = _Copier(target)
    for page in source.pages:
        target.pages.append(pikepdf.Page(copier.page(page.obj)))
    copier.finish()
    result = BytesIO()
    target.save(result, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return result.getvalue()


def _opened(content: bytes) -> Pdf:
    try:
        source = Pdf.open(BytesIO(content), attempt_recovery=False)
    except pikepdf.PasswordError:
        raise Refused("encrypted") from None
    if source.is_encrypted:
        raise Refused("encrypted")
    if not 1 <= len(source.pages) <= MAX_PAGES:
        raise Refused("pages")
    return source


class _Copier:
    """Copies into another PDF what describes how pages look, object by object, without recursion between objects."""

    def __init__(self, target: Pdf) -> None:
        self.target = target
        self.copies: dict[tuple[tuple[int, int], str], Object] = {}
        self.waiting: list[tuple[Object, Object, str]] = []
        self.unpacked = 0

    def page(self, source: Object) -> Dictionary:
        """The page in the new file; what it refers to is there once finish() was called."""
        page = Dictionary(Type=Name.Page)
        for word in PAGE:
            if f"/{word}" in source:
                page[f"/{word}"] = self._value(source[f"/{word}"], WORDS)
        if "/Resources" in source:
            page.Resources = self._value(source.Resources, KINDS)
        contents = source.get("/Contents", Array())
        parts = contents if isinstance(contents, Array) else [contents]
        data = b"\n".join(self._unpacked(part) for part in parts if isinstance(part, Stream))
        page.Contents = self.target.make_stream(zlib.compress(data), Filter=Name.FlateDecode)
        return self.target.make_indirect(page)

    def finish(self) -> None:
        """Fill the objects that were referred to, and those that they refer to, until there are none left."""
        while self.waiting:
            source, copy, keys = self.waiting.pop()
            if isinstance(source, Array):
                copy.extend(self._value(item, keys) for item in source)
                continue
            for key, value in self._entries(source, keys):
                copy[key] = value
            if isinstance(source, Stream):
                self._fill(source, copy)

    def _value(self, source: Any, keys: str) -> Any:
        if isinstance(source, (Dictionary, Array, Stream)):
            if source.is_indirect:
                return self._reference(source, keys)
            if isinstance(source, Array):
                return Array([self._value(item, keys) for item in source])
            return Dictionary(dict(self._entries(source, keys)))
        if isinstance(source, Name):
            return Name(str(source))
        if isinstance(source, pikepdf.String):
            return pikepdf.String(bytes(source))
        # Numbers, true and false, null. Anything else has no place in how a page looks.
        if source is None or isinstance(source, (int, Decimal)):
            return source
        raise Refused("unusual")

    def _entries(self, source: Object, keys: str) -> Iterator[tuple[str, Any]]:
        for key, value in source.items():
            word = key[1:]
            if keys == KINDS and word in RESOURCE_KINDS:
                yield key, self._value(value, NAMES)
            elif keys == NAMES:
                yield key, self._value(value, WORDS)
            elif keys == WORDS and word in LOOKS:
                yield key, self._value(value, _keys_under(word))

    def _reference(self, source: Object, keys: str) -> Object:
        identity = (source.objgen, keys)
        if identity not in self.copies:
            if len(self.copies) >= MAX_OBJECTS:
                raise Refused("size")
            self.copies[identity] = copy = self._empty(source)
            self.waiting.append((source, copy, keys))
        return self.copies[identity]

    def _empty(self, source: Object) -> Object:
        if isinstance(source, Stream):
            return self.target.make_stream(b"")
        return self.target.make_indirect(Array() if isinstance(source, Array) else Dictionary())

    def _fill(self, source: Object, copy: Object) -> None:
        if source.get("/Subtype") == Name.PS:
            # PostScript, a program that printers run.
            raise Refused("unusual")
        if source.get("/Subtype") == Name.Image:
            _require_few_pixels(source)
        codings = _codings(source)
        if codings and codings[-1] in PICTURE_CODINGS:
            self._fill_picture(source, copy, codings)
        else:
            copy.write(zlib.compress(self._unpacked(source)), filter=Name.FlateDecode, decode_parms=None)

    def _fill_picture(self, source: Object, copy: Object, codings: list[str]) -> None:
        coded = self._counted(_without_outer_codings(source, codings))
        parameters = self._parameters(source)
        if codings[-1] == "DCTDecode":
            copy.write(without_metadata(coded), filter=Name.DCTDecode, decode_parms=parameters)
        else:
            # Nothing can be said of what is behind the end of such a picture, so it does not stand there in clear.
            both = Array([Name.FlateDecode, Name(f"/{codings[-1]}")])
            copy.write(zlib.compress(coded), filter=both, decode_parms=Array([None, parameters]))

    def _parameters(self, source: Object) -> Dictionary:
        given = source.get("/DecodeParms", Dictionary())
        last = given[-1] if isinstance(given, Array) and len(given) else given
        parameters = Dictionary()
        if isinstance(last, Dictionary):
            for key, value in last.items():
                if key[1:] in CODING_PARAMETERS:
                    parameters[key] = self._value(value, WORDS)
        return parameters

    def _unpacked(self, source: Object) -> bytes:
        if not set(_codings(source)) <= PLAIN_CODINGS:
            raise Refused("unusual")
        return self._counted(source.read_bytes())

    def _counted(self, data: bytes) -> bytes:
        self.unpacked += len(data)
        if self.unpacked > MAX_UNPACKED_BYTES:
            raise Refused("size")
        return data


def _keys_under(word: str) -> str:
    if word == "Resources":
        return KINDS
    return NAMES if word in NAMED_BY_AUTHOR else WORDS


def _codings(source: Object) -> list[str]:
    """The names of the stream's filters, in the order in which they are taken off."""
    filters = source.get("/Filter", Array())
    names = filters if isinstance(filters, Array) else [filters]
    return [str(name)[1:] for name in names]


def _without_outer_codings(source: Object, codings: list[str]) -> bytes:
    outer = codings[:-1]
    if not outer:
        return source.read_raw_bytes()
    if not set(outer) <= PLAIN_CODINGS:
        raise Refused("unusual")
    # The stream lives as long as its PDF does.
    with Pdf.new() as holder:
        filters = Array([Name(f"/{name}") for name in outer])
        return holder.make_stream(source.read_raw_bytes(), Filter=filters).read_bytes()


def _require_few_pixels(picture: Object) -> None:
    width: Any = picture.get("/Width")
    height: Any = picture.get("/Height")
    if not isinstance(width, int) or not isinstance(height, int) or width < 1 or height < 1:
        raise Refused("broken")
    if width * height > MAX_PIXELS:
        raise Refused("pixels")
