"""Decode a picture and redraw it. Only its pixels go into the new file."""

import struct
from io import BytesIO

from PIL import Image, ImageFile

from .refusal import Refused

MAX_PIXELS = 25_000_000
MAX_SIDE = 4000
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


def rewritten(content: bytes) -> bytes:
    """The picture as a new file of the same kind (PNG or JPEG): upright, first frame, at most 4000 pixels a side.

    Raises Refused, or whatever Pillow raises for a broken file.
    """
    source = Image.open(BytesIO(content), formats=("PNG", "JPEG"))
    # The size comes from the header. A decompression bomb would go off when it is decoded.
    if source.width * source.height > MAX_PIXELS:
        raise Refused("pixels")
    is_png = source.format == "PNG"
    orientation = _orientation(source)
    source.load()
    picture = _plain(source, with_alpha=is_png)
    if orientation in UPRIGHT:
        picture = picture.transpose(UPRIGHT[orientation])
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return _saved(picture, is_png=is_png)


def _orientation(source: Image.Image) -> int | None:
    try:
        value = source.getexif().get(ORIENTATION)
    except (SyntaxError, ValueError, KeyError, IndexError, TypeError, OSError, struct.error):
        # Broken camera data does not make the picture unusable.
        return None
    return value if isinstance(value, int) else None


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
