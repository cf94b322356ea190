"""WebP, HEIC and AVIF as telephones and strangers make them."""

import io
import struct
from typing import Any

import pillow_heif
from PIL import Image

from tests.billing.files_of_strangers import EICAR, PHP, SCRIPT, Corpus, animated, archive, exif, picture

pillow_heif.register_heif_opener()

KINDS = ("WEBP", "HEIF", "AVIF")
XMP = b"<x:xmpmeta>" + SCRIPT + b"</x:xmpmeta>"


def with_size(content: bytes, width: int, height: int) -> bytes:
    """The same HEIC or AVIF, which says that it is of another size."""
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
    upright = {f"{kind} orientation {n}": picture(kind, exif=exif(n)) for kind in KINDS for n in range(1, 9)}
    modes = {f"{kind} {mode}": picture(kind, mode) for kind in KINDS for mode in ("RGB", "RGBA", "L")}
    noted = {f"{kind} XMP": picture(kind, xmp=XMP, exif=exif(1)) for kind in KINDS}
    large = {f"{kind} 3 megapixels": picture(kind, size=(2000, 1500)) for kind in KINDS}
    files = {
        **upright,
        **modes,
        **noted,
        **large,
        "WEBP lossless": picture("WEBP", lossless=True),
        "WEBP animated": animated("WEBP"),
        "WEBP ICC": picture("WEBP", icc_profile=b"\0" * 128 + SCRIPT),
        "WEBP and zip": picture("WEBP") + archive(a_txt=b"x"),
        "WEBP and HTML": picture("WEBP") + b"<html>" + SCRIPT,
        "WEBP one pixel": picture("WEBP", size=(1, 1)),
        "HEIC in tiles": heic(size=(1200, 900), tile_size=512),
        **{f"HEIC that turns {n}": heic_that_turns(n) for n in range(1, 9)},
        "HEIC several": animated("HEIF"),
        "HEIC called mif1": with_brand(heic(), b"mif1"),
        "HEIC 10 bits": heic(bit_depth=10),
        "HEIC and PHP": heic() + PHP,
        "HEIC and EICAR": heic() + EICAR,
        "AVIF called mif1": with_brand(picture("AVIF"), b"mif1"),
        "AVIF animated": animated("AVIF"),
        "AVIF and HTML": picture("AVIF") + b"<html>" + SCRIPT,
    }
    return {name: (content, 201) for name, content in files.items()}


def pictures_refused() -> Corpus:
    """What begins as such a picture does, and is none that can be taken."""
    whole = {kind: picture(kind, size=(300, 300)) for kind in KINDS}
    cut = {f"{kind} cut in half": content[: len(content) // 2] for kind, content in whole.items()}
    ends = {f"{kind} without its last bytes": content[:-20] for kind, content in whole.items()}
    beginnings = {f"{kind} beginning only": content[:16] for kind, content in whole.items()}
    scripts = {f"HTML behind the beginning of {kind}": content[:16] + SCRIPT * 3 for kind, content in whole.items()}
    sizes = [(30_000, 30_000), (2**31 - 1, 2**31 - 1), (5001, 5000), (0, 0)]
    files = {
        **cut,
        **ends,
        **beginnings,
        **scripts,
        **{f"HEIC {w} x {h}": with_size(heic(), w, h) for w, h in sizes},
        **{f"AVIF {w} x {h}": with_size(picture("AVIF"), w, h) for w, h in sizes},
        **{f"WEBP {make} 16383 x 16383": content for make, content in webp_of_size(16_383, 16_383).items()},
        **{f"WEBP {make} 5001 x 5000": content for make, content in webp_of_size(5001, 5000).items()},
        "WEBP extended 16777216 x 16777216": webp_of_size(2**24, 2**24)["extended"],
        "HEIC beginning and nothing": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "AVIF beginning and nothing": b"\0\0\0\x1cftypavif\0\0\0\0mif1avif",
    }
    return {name: (content, 400) for name, content in files.items()}
