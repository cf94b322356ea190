"""Decode a picture and redraw it. Only its pixels go into the new file."""

import struct
from collections.abc import Callable
from io import BytesIO

from PIL import AvifImagePlugin, Image, ImageFile

from .refusal import Refused

MAX_PIXELS = 25_000_000
MAX_SIDE = 4000
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
    as_png = source.format == "PNG" or source.has_transparency_data
    orientation = orientation_of(source)
    source.load()
    # Some formats say their true size only now.
    _require_few_pixels(source.width, source.height)
    picture = _plain(source, with_alpha=as_png)
    if orientation in UPRIGHT:
        picture = picture.transpose(UPRIGHT[orientation])
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return _saved(picture, is_png=as_png)


def _require_few_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise Refused("pixels")


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


def _saved(picture: Image.Image, *, is_png: bool) -> bytes:
    target = BytesIO()
    if is_png:
        picture.save(target, "PNG")
    else:
        picture.save(target, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return target.getvalue()
