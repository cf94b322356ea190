"""How much the streams of a PDF unpack to, counted before anything is drawn. Nothing of what is counted is kept.

Streams are found by their word, not by the file's tables: a reader of PDFs repairs tables, and then finds more.
"""

import re
import zlib
from collections.abc import Callable, Iterator

from .refusal import Refused

# A stream may unpack to MAX_RATIO times its size, or to its floor: a blank page that was scanned packs 1000 to 1, and
# nothing but pictures does so honestly. All of a file's together have MAX_UNPACKED_BYTES at most.
MAX_RATIO = 200
FLOOR_OF_PICTURE, FLOOR = 32_000_000, 4_000_000
MAX_UNPACKED_BYTES = 100_000_000
MAX_LAYERS = 3
CHUNK = 64 * 1024
MAX_DICTIONARY = 4096
MAX_FILTERS = 400

# The line that begins a stream. PDFium skips the rest of it, whatever it holds.
STREAM = re.compile(rb"(?<!end)stream[^\r\n]*+(?:\r\n?|\n)")
# The first byte of zlib data: its low digit says "deflate".
ZLIB = frozenset(b"\x08\x18\x28\x38\x48\x58\x68\x78")
REFERENCE = re.compile(rb"\s*\d+\s+\d+\s+R\b")
COMMENT = re.compile(rb"%[^\r\n]*")
ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
HEXADECIMALS, BASE_85 = re.compile(rb"[0-9A-Fa-f\s]*"), re.compile(rb"[!-uz\s]*")
NAME = re.compile(rb"/([^\s/\[\]<>()%{}]*)")


def _key(word: bytes) -> re.Pattern[bytes]:
    """The word as a name, each letter of which can be written as # and its number."""
    letters = b"".join(b"(?:%c|#%02x|#%02X)" % (letter, letter, letter) for letter in word)
    return re.compile(b"/" + letters + rb"(?![A-Za-z0-9#])")


FILTER, PICTURE = _key(b"Filter"), _key(b"Image")


def require_little_inside(content: bytes) -> None:
    """Refuse a file that unpacks to far more than a receipt would, or is packed in layers. Raises Refused."""
    room, end = min(MAX_UNPACKED_BYTES, max(FLOOR_OF_PICTURE, MAX_RATIO * len(content))), 0
    whole = memoryview(content)
    for beginning in STREAM.finditer(content):
        # From the stream before: its bytes stand in it too, which can only make us stricter.
        described = content[end : beginning.start()]
        end = beginning.end()
        floor = FLOOR_OF_PICTURE if PICTURE.search(described[-MAX_DICTIONARY:]) else FLOOR
        room -= _require_honest(whole[end:], described, min(room, MAX_UNPACKED_BYTES), floor)
        if room < 0:
            raise Refused("size")


def _require_honest(packed: memoryview, described: bytes, room: int, floor: int) -> int:
    """The bytes that one stream unpacks to. Raises Refused if they are too many for its size."""
    unpacked = 0
    for names in set(_filters(described)):
        size, consumed = _counted(packed, names, room)
        if size > max(floor, MAX_RATIO * consumed):
            raise Refused("size")
        unpacked = max(unpacked, size)
    return unpacked


def _filters(described: bytes) -> Iterator[tuple[bytes, ...]]:
    """The ways in which a stream can be packed, as its dictionary says; and zlib, whatever it says."""
    yield (b"FlateDecode",)
    for key in FILTER.finditer(described):
        value = COMMENT.sub(b" ", described[key.end() : key.end() + MAX_FILTERS]).lstrip()
        if REFERENCE.match(value):
            raise Refused("packed")
        is_list = value.startswith(b"[")
        if is_list and b"]" not in value:
            raise Refused("packed")
        names = NAME.findall(value.partition(b"]")[0]) if is_list else NAME.findall(value)[:1]
        plain = tuple(ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), name) for name in names)
        plain = tuple(ABBREVIATED.get(name, name) for name in plain)
        if sum(name in EXPANDING for name in plain) > 1 or sum(name in AS_TEXT for name in plain) > 1:
            raise Refused("packed")
        if is_list and REFERENCE.search(value.partition(b"]")[0]):
            raise Refused("packed")
        yield plain


def _counted(packed: memoryview, names: tuple[bytes, ...], room: int) -> tuple[int, int]:
    """How many bytes a stream unpacks to, just past `room` at most, and of how many."""
    content = packed
    for name in names:
        if decode := AS_TEXT.get(name):
            content = memoryview(decode(content))
        if count := EXPANDING.get(name):
            return count(content, room)
    return 0, 0


def _of_flate(packed: memoryview, room: int) -> tuple[int, int]:
    size = consumed = 0
    if len(packed) and packed[0] in ZLIB:
        size, consumed = _unpacked(packed, room, MAX_LAYERS)
    return size, consumed


def _unpacked(packed: memoryview, limit: int, layers: int) -> tuple[int, int]:
    """What zlib data unpacks to, with what is packed inside it. Reading stops just past the limit."""
    unpacker, pieces, size, consumed = zlib.decompressobj(), [], 0, 0
    for start in range(0, len(packed), CHUNK):
        try:
            pieces.append(unpacker.decompress(packed[start : start + CHUNK], limit - size + 1))
        except zlib.error:
            break
        size += len(pieces[-1])
        consumed = min(start + CHUNK, len(packed)) - len(unpacker.unused_data)
        if unpacker.eof or size > limit:
            break
    inside = memoryview(b"".join(pieces))
    if size <= limit and layers > 1 and len(inside) and inside[0] in ZLIB:
        size += _unpacked(inside, limit - size, layers - 1)[0]
    return size, consumed


def _of_lzw(packed: memoryview, room: int) -> tuple[int, int]:
    """LZW: only how long each sequence is has to be known, not what is in it."""
    clear, end, widest = 256, 257, 12
    lengths, width, before = [1] * 258, 9, 0
    size = bits = held = 0
    for position, byte in enumerate(packed):
        held, bits = held << 8 | byte, bits + 8
        while bits >= width:
            bits -= width
            code = held >> bits & (1 << width) - 1
            if code == end or size > room or code > len(lengths):
                return size, position + 1
            if code == clear:
                lengths, width, before = [1] * 258, 9, 0
                continue
            length = lengths[code] if code < len(lengths) else before + 1
            size += length
            if before and len(lengths) < 1 << widest:
                lengths.append(before + 1)
            before = length
            # One sooner than needed, as PDFs have it; where they do not, the count is wrong and small.
            width = min(widest, max(9, (len(lengths) + 1).bit_length()))
        held &= (1 << bits) - 1
    return size, len(packed)


def _of_runs(packed: memoryview, room: int) -> tuple[int, int]:
    position = size = 0
    while position < len(packed) and packed[position] != 128 and size <= room:
        length = packed[position]
        size, position = (
            (size + length + 1, position + length + 2) if length < 128 else (size + 257 - length, position + 2)
        )
    return size, position


def _of_hexadecimals(packed: memoryview) -> bytes:
    digits = re.sub(rb"\s+", b"", _beginning(packed, HEXADECIMALS))
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))


def _of_base85(packed: memoryview) -> bytes:
    values = re.sub(rb"\s+", b"", _beginning(packed, BASE_85)).replace(b"z", b"!!!!!")
    padding = -len(values) % 5
    values += b"u" * padding
    result = bytearray()
    for start in range(0, len(values), 5):
        number = 0
        for digit in values[start : start + 5]:
            number = number * 85 + digit - 33
        result += (number & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(result[: len(result) - padding])


def _beginning(packed: memoryview, taken: re.Pattern[bytes]) -> bytes:
    """The bytes up to the first that is not taken. What comes after is not copied: there can be many streams."""
    pieces = []
    for start in range(0, len(packed), CHUNK):
        piece = bytes(packed[start : start + CHUNK])
        begins = taken.match(piece)
        pieces.append(begins[0] if begins else b"")
        if len(pieces[-1]) < len(piece):
            break
    return b"".join(pieces)


AS_TEXT: dict[bytes, Callable[[memoryview], bytes]] = {
    b"ASCIIHexDecode": _of_hexadecimals,
    b"ASCII85Decode": _of_base85,
}
EXPANDING: dict[bytes, Callable[[memoryview, int], tuple[int, int]]] = {
    b"FlateDecode": _of_flate,
    b"LZWDecode": _of_lzw,
    b"RunLengthDecode": _of_runs,
}
ABBREVIATED = {
    b"AHx": b"ASCIIHexDecode",
    b"A85": b"ASCII85Decode",
    b"Fl": b"FlateDecode",
    b"LZW": b"LZWDecode",
    b"RL": b"RunLengthDecode",
}
