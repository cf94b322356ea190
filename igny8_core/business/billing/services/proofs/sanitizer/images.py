"""Decode a picture and redraw it. Only its pixels go into the new file."""

import struct
from collections.abc import Callable
from io import BytesIO

from PIL import AvifImagePlugin, Image, ImageFile

from .refusal import Refused

MAX_PIXELS = 25_000_000
MAX_SIDE = 4000
# A picture may unpack to MAX_RATIO times its size, or to a floor: up to LARGE pixels are little work in any case.
MAX_RATIO = 200
LARGE = 10_000_000
FLOOR, FLOOR_OF_LARGE = 40_000_000, 4_000_000
# Pixels of all frames together; the second picture in a photograph of a telephone counts.
MAX_PIXELS_OF_FRAMES = 100_000_000
# A JPEG that loads step by step has about ten scans, and each costs as much as the whole picture.
MAX_SCANS = 64
# A picture that packs better than MAX_RATIO when it is stored is made smaller, down to so many pixels.
SMALLEST_SHRUNK = 4_000_000
BITS = {"1": 1, "LA": 16, "PA": 16, "I": 32, "F": 32, "RGB": 24, "RGBA": 32, "CMYK": 32, "YCbCr": 24}
KINDS = ("PNG", "JPEG", "WEBP", "AVIF")
JPEG_QUALITY = 88
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# We check the size ourselves, with one limit for every kind of picture.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False
# The process may start no threads.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def noted_orientation(source: Image.Image) -> int | None:
    """How the camera was held, as EXIF has it; None where that cannot be read."""
    try:
        value = source.getexif().get(ORIENTATION)
    except (SyntaxError, ValueError, KeyError, IndexError, TypeError, OSError, struct.error):
        # Broken camera data does not make the picture unusable.
        return None
    return value if isinstance(value, int) else None


def rewritten(
    content: bytes,
    kinds: tuple[str, ...] = KINDS,
    orientation_of: Callable[[Image.Image], int | None] = noted_orientation,
) -> bytes:
    """The picture as a new PNG, if it was one or has transparent parts, else as a JPEG.

    It is upright, its first frame, at most 4000 pixels a side. `kinds`: as what it may be read, in Pillow's words.
    Raises Refused, or whatever Pillow raises for a file that is none.
    """
    _require_small_webp(content)
    source = Image.open(BytesIO(content), formats=kinds)
    # Known from the header. Decoding is where a bomb goes off.
    _require_few_pixels(source.width, source.height)
    _require_honest(source, content)
    as_png = source.format == "PNG" or source.has_transparency_data
    orientation = orientation_of(source)
    source.load()
    # Some formats say their true size only now.
    _require_few_pixels(source.width, source.height)
    picture = _plain(source, with_alpha=as_png)
    source.close()
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    if orientation in UPRIGHT:
        picture = picture.transpose(UPRIGHT[orientation])
    return _saved_harmless(picture, is_png=as_png)


def _require_few_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise Refused("pixels")


def _require_honest(source: Image.Image, content: bytes) -> None:
    """Refuse a picture of very many pixels in very few bytes, before it is decoded. Raises Refused."""
    pixels = source.width * source.height
    if pixels * getattr(source, "n_frames", 1) > MAX_PIXELS_OF_FRAMES:
        raise Refused("frames")
    if source.format in {"JPEG", "MPO"} and content.count(b"\xff\xda") > MAX_SCANS:
        raise Refused("scans")
    size = _bytes_of_pixels(content) if source.format == "PNG" else len(content)
    floor = FLOOR if pixels <= LARGE else FLOOR_OF_LARGE
    if _unpacked(source) > max(floor, MAX_RATIO * size):
        raise Refused("ratio")


def _unpacked(picture: Image.Image) -> int:
    return picture.width * picture.height * BITS.get(picture.mode, 8) // 8


def _bytes_of_pixels(content: bytes) -> int:
    """The bytes of a PNG in which its pixels are, without what was put in front of them or behind."""
    position, size = 8, 0
    while position + 8 <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        kind = content[position + 4 : position + 8]
        size += min(length, len(content) - position) if kind == b"IDAT" else 0
        position += length + 12
        if kind == b"IEND":
            break
    return size


def _require_small_webp(content: bytes) -> None:
    """Read the size of a WebP from its first part: Pillow makes room for two pictures of it before it says the size."""
    if content[:4] != b"RIFF" or len(content) < 30:
        return
    part, data = content[12:16], content[20:30]
    if part == b"VP8X":
        width, height = (int.from_bytes(data[start : start + 3], "little") + 1 for start in (4, 7))
    elif part == b"VP8L":
        sizes = int.from_bytes(data[1:5], "little")
        width, height = (sizes & 0x3FFF) + 1, (sizes >> 14 & 0x3FFF) + 1
    else:
        width, height = (int.from_bytes(data[start : start + 2], "little") & 0x3FFF for start in (6, 8))
    _require_few_pixels(width, height)


def _plain(source: Image.Image, *, with_alpha: bool) -> Image.Image:
    """The pixels in 8 bits, on a new image without any of the file's other data."""
    if source.mode.startswith("I"):
        # 16 bits of grey: Pillow would cut them off at 255.
        source = source.convert("I").point(lambda level: level / 256).convert("L")
    opaque = "L" if source.mode in {"1", "L"} else "RGB"
    mode = "RGBA" if with_alpha and source.has_transparency_data else opaque
    converted = source.convert(mode)
    plain = Image.new(mode, converted.size)
    plain.paste(converted)
    return plain


def _saved_harmless(picture: Image.Image, *, is_png: bool) -> bytes:
    """The new file; with fewer pixels if they pack very well, because what is plain loses nothing by it."""
    saved = _saved(picture, is_png=is_png)
    while _unpacked(picture) > MAX_RATIO * len(saved) and picture.width * picture.height > SMALLEST_SHRUNK:
        picture.thumbnail((picture.width * 7 // 10, picture.height * 7 // 10), Image.Resampling.BILINEAR)
        saved = _saved(picture, is_png=is_png)
    return saved


def _saved(picture: Image.Image, *, is_png: bool) -> bytes:
    target = BytesIO()
    if is_png:
        picture.save(target, "PNG")
    else:
        picture.save(target, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return target.getvalue()
