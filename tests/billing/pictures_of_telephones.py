"""WebP, HEIC and AVIF as telephones and strangers make them."""

import io
import struct
from functools import cache, partial
from typing import Any

import pillow_heif
from PIL import Image

from tests.billing.files_of_strangers import EICAR, PHP, SCRIPT, Corpus, File, animated, archive, exif, picture

pillow_heif.register_heif_opener()

KINDS = ("WEBP", "HEIF", "AVIF")
XMP = b"<x:xmpmeta>" + SCRIPT + b"</x:xmpmeta>"


def sized(kind: str, width: int, height: int) -> bytes:
    """A HEIC or AVIF that says that it is of this size."""
    content = picture(kind)
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", width, height) + content[at + 8 :]


def webp(part: bytes, data: bytes) -> bytes:
    """A WebP of one part, with this beginning."""
    body = b"WEBP" + part + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_of_size(width: int, height: int) -> dict[str, bytes]:
    """A WebP of each make whose header claims this size."""
    small = 0x9D012A.to_bytes(3, "big") + struct.pack("<HH", width & 0x3FFF, height & 0x3FFF)
    lossless = b"\x2f" + ((width - 1 & 0x3FFF) | (height - 1 & 0x3FFF) << 14).to_bytes(4, "little")
    extended = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return {
        "lossy": webp(b"VP8 ", b"\0\0\0" + small + b"\0" * 50),
        "lossless": webp(b"VP8L", lossless + b"\0" * 50),
        "extended": webp(b"VP8X", extended + b"\0" * 50),
    }


def heic(**options: Any) -> bytes:
    return picture("HEIF", **options)


def heic_that_turns(orientation: int) -> bytes:
    """A HEIC as a telephone writes it: the file itself says how it is turned, and EXIF says so once more."""
    with Image.open(io.BytesIO(picture("PNG", size=(64, 40)))) as source:
        source.info["exif"] = exif(orientation).tobytes()
        file = io.BytesIO()
        source.save(file, "HEIF", quality=95)
    return file.getvalue()


def with_brand(content: bytes, brand: bytes) -> bytes:
    return content[:8] + brand + content[12:]


def pictures_taken() -> Corpus:
    """Pictures that are taken, whatever else they carry."""
    upright = {f"{kind} orientation {n}": partial(picture, kind, exif=exif(n)) for kind in KINDS for n in range(1, 9)}
    modes = {f"{kind} {mode}": partial(picture, kind, mode) for kind in KINDS for mode in ("RGB", "RGBA", "L")}
    noted = {f"{kind} XMP": partial(picture, kind, xmp=XMP, exif=exif(1)) for kind in KINDS}
    large = {f"{kind} 3 megapixels": partial(picture, kind, size=(2000, 1500)) for kind in KINDS}
    files: dict[str, File] = {
        **upright,
        **modes,
        **noted,
        **large,
        "WEBP lossless": lambda: picture("WEBP", lossless=True),
        "WEBP animated": lambda: animated("WEBP"),
        "WEBP ICC": lambda: picture("WEBP", icc_profile=b"\0" * 128 + SCRIPT),
        "WEBP and zip": lambda: picture("WEBP") + archive(a_txt=b"x"),
        "WEBP and HTML": lambda: picture("WEBP") + b"<html>" + SCRIPT,
        "WEBP one pixel": lambda: picture("WEBP", size=(1, 1)),
        "HEIC in tiles": lambda: heic(size=(1200, 900), tile_size=512),
        **{f"HEIC that turns {n}": partial(heic_that_turns, n) for n in range(1, 9)},
        "HEIC several": lambda: animated("HEIF"),
        "HEIC called mif1": lambda: with_brand(heic(), b"mif1"),
        "HEIC 10 bits": lambda: heic(bit_depth=10),
        "HEIC and PHP": lambda: heic() + PHP,
        "HEIC and EICAR": lambda: heic() + EICAR,
        "AVIF called mif1": lambda: with_brand(picture("AVIF"), b"mif1"),
        "AVIF animated": lambda: animated("AVIF"),
        "AVIF and HTML": lambda: picture("AVIF") + b"<html>" + SCRIPT,
    }
    return {name: (file, 201) for name, file in files.items()}


@cache
def whole(kind: str) -> bytes:
    return picture(kind, size=(300, 300))


def part_of(kind: str, end: int) -> bytes:
    return whole(kind)[:end]


def half_of(kind: str) -> bytes:
    return part_of(kind, len(whole(kind)) // 2)


def script_behind(kind: str) -> bytes:
    return part_of(kind, 16) + SCRIPT * 3


def pictures_refused() -> Corpus:
    """What begins as such a picture does, and is none that can be taken."""
    cut = {f"{kind} cut in half": partial(half_of, kind) for kind in KINDS}
    ends = {f"{kind} without its last bytes": partial(part_of, kind, -20) for kind in KINDS}
    beginnings = {f"{kind} beginning only": partial(part_of, kind, 16) for kind in KINDS}
    scripts = {f"HTML behind the beginning of {kind}": partial(script_behind, kind) for kind in KINDS}
    sizes = [(30_000, 30_000), (2**31 - 1, 2**31 - 1), (5001, 5000), (0, 0)]
    files: dict[str, File] = {
        **cut,
        **ends,
        **beginnings,
        **scripts,
        **{f"HEIC {w} x {h}": partial(sized, "HEIF", w, h) for w, h in sizes},
        **{f"AVIF {w} x {h}": partial(sized, "AVIF", w, h) for w, h in sizes},
        **{f"WEBP {make} 16383 x 16383": content for make, content in webp_of_size(16_383, 16_383).items()},
        **{f"WEBP {make} 5001 x 5000": content for make, content in webp_of_size(5001, 5000).items()},
        "WEBP extended 16777216 x 16777216": lambda: webp_of_size(2**24, 2**24)["extended"],
        "HEIC beginning and nothing": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "AVIF beginning and nothing": b"\0\0\0\x1cftypavif\0\0\0\0mif1avif",
    }
    return {name: (file, 400) for name, file in files.items()}
