"""A JPEG without what stands beside its pixels, and without decoding it."""

from .refusal import Refused

START, END, SCAN = 0xD8, 0xD9, 0xDA
# Inside a scan: a stuffed zero, or the marks between its pieces.
PART_OF_SCAN = frozenset({0x00, *range(0xD0, 0xD8)})
COMMENT = 0xFE
APPLICATION = frozenset(range(0xE0, 0xF0))
# JFIF's density and Adobe's word on how colours are coded are part of how the picture looks.
KEPT = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}


def without_metadata(content: bytes) -> bytes:
    """The picture without EXIF, other applications' data, comments and anything behind its end. Raises Refused."""
    if not content.startswith(b"\xff\xd8"):
        raise Refused("broken")
    kept, position = [b"\xff\xd8"], 2
    while True:
        position = _next_marker(content, position)
        marker = content[position + 1]
        if marker == END:
            return b"".join([*kept, b"\xff\xd9"])
        end = position + 2 + int.from_bytes(content[position + 2 : position + 4], "big")
        if end < position + 4 or end > len(content):
            raise Refused("broken")
        after = _end_of_scan(content, end) if marker == SCAN else end
        if _is_picture(marker, content[position + 4 : position + 9]):
            kept.append(content[position:after])
        position = after


def _next_marker(content: bytes, position: int) -> int:
    # Markers may be filled up with FF.
    while content[position : position + 2] == b"\xff\xff":
        position += 1
    if position + 1 >= len(content) or content[position] != 0xFF or content[position + 1] in PART_OF_SCAN:
        raise Refused("broken")
    return position


def _end_of_scan(content: bytes, position: int) -> int:
    while True:
        position = content.find(b"\xff", position)
        if position < 0 or position + 1 >= len(content):
            raise Refused("broken")
        if content[position + 1] not in PART_OF_SCAN and content[position + 1] != 0xFF:
            return position
        position += 1 if content[position + 1] == 0xFF else 2


def _is_picture(marker: int, beginning: bytes) -> bool:
    if marker in APPLICATION:
        return beginning == KEPT.get(marker)
    return marker != COMMENT
