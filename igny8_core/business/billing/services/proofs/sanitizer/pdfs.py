"""Draw a PDF: a new file with a picture of each page. Only what can be seen goes into it."""

import math
import re
import zlib
from io import BytesIO

from PIL import Image
from pypdfium2 import PdfDocument, PdfiumError
from pypdfium2.raw import (
    FPDF_ERR_PASSWORD,
    FPDF_PAGEOBJ_IMAGE,
    FPDF_DocumentHasValidCrossReferenceTable,
    FPDF_GetSecurityHandlerRevision,
)

from .refusal import Refused

MAX_PAGES = 20
DOTS_PER_INCH = 200
POINTS_PER_INCH = 72
# Limit for all pages together: ten A4 pages are drawn at 200 dots per inch, twenty at 140.
MAX_PIXELS = 40_000_000
# Limit for one picture on a page. A scanned A4 page at 600 dots per inch has 35 million.
MAX_PIXELS_OF_PICTURE = 50_000_000
MAX_DEPTH_OF_PICTURES = 5
# Tried in this order until the result is small enough: share of the pixels per side, JPEG quality.
WANTED_BYTES = 5 * 1024 * 1024
COARSENESS = ((1, 85), (1, 60), (0.7, 60), (0.5, 50))

# A file may unpack to MAX_RATIO times its size, within these bounds. A scanned blank page packs 150 to 1.
MAX_RATIO = 200
LEAST_UNPACKED_BYTES, MAX_UNPACKED_BYTES = 50_000_000, 100_000_000
MAX_LAYERS = 3
CHUNK = 64 * 1024
NOT_ENCRYPTED = -1
# Where zlib data may begin: after the line with "stream", at a byte whose low digit is 8 (the method "deflate").
PACKED_STREAM = re.compile(rb"stream[^\r\n]{0,80}+(?:\r\n|[\r\n])(?=[\x08\x18\x28\x38\x48\x58\x68\x78])")


def rewritten(content: bytes) -> bytes:
    """The same pages as pictures in a new file. Raises Refused, or whatever the library raises for a broken file."""
    _require_little_inside(content)
    source = _opened(content)
    scale = _scale(source)
    pages = [_drawn(source, number, scale) for number in range(len(source))]
    if all(_is_plain(page) for page in pages):
        raise Refused("blank")
    return _saved(pages, scale * POINTS_PER_INCH)


def _opened(content: bytes) -> PdfDocument:
    try:
        source = PdfDocument(content)
    except PdfiumError as error:
        raise Refused("encrypted" if error.err_code == FPDF_ERR_PASSWORD else "broken") from None
    if FPDF_GetSecurityHandlerRevision(source) != NOT_ENCRYPTED:
        raise Refused("encrypted")
    # PDFium reads a truncated file as far as it goes, and nobody would notice that half is missing.
    if not FPDF_DocumentHasValidCrossReferenceTable(source):
        raise Refused("broken")
    # Needed to draw filled-in forms. No scripts run, because this build has no script engine.
    source.init_forms()
    if not 1 <= len(source) <= MAX_PAGES:
        raise Refused("pages")
    return source


def _scale(source: PdfDocument) -> float:
    """Pixels per point, the same for all pages."""
    sizes = [source.get_page_size(number) for number in range(len(source))]
    area = sum(width * height for width, height in sizes)
    if not 0 < area < math.inf:
        raise Refused("broken")
    return min(DOTS_PER_INCH / POINTS_PER_INCH, math.sqrt(MAX_PIXELS / area))


def _drawn(source: PdfDocument, number: int, scale: float) -> Image.Image:
    page = source[number]
    for placed in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=MAX_DEPTH_OF_PICTURES):
        width, height = placed.get_px_size()
        if width * height > MAX_PIXELS_OF_PICTURE:
            raise Refused("pictures")
    drawn = page.render(scale=scale)
    picture: Image.Image = drawn.to_pil().convert("RGB")
    drawn.close()
    page.close()
    return picture


def _is_plain(page: Image.Image) -> bool:
    return page.getcolors(maxcolors=1) is not None


def _saved(pages: list[Image.Image], resolution: float) -> bytes:
    """The pictures as a PDF, in lower quality if it would be large. Scans are: their paper is not plain white."""
    for share, quality in COARSENESS:
        result = _as_pdf([_shrunk(page, share) for page in pages], resolution * share, quality)
        if len(result) <= WANTED_BYTES:
            break
    return result


def _shrunk(page: Image.Image, share: float) -> Image.Image:
    if share == 1:
        return page
    return page.resize((max(1, int(page.width * share)), max(1, int(page.height * share))))


def _as_pdf(pages: list[Image.Image], resolution: float, quality: int) -> bytes:
    target = BytesIO()
    # Without title and dates, so that the same file gives the same bytes.
    pages[0].save(
        target, "PDF", save_all=True, append_images=pages[1:], resolution=resolution, quality=quality,
        title=None, creationDate=None, modDate=None,
    )  # fmt: skip
    return target.getvalue()


def _require_little_inside(content: bytes) -> None:
    """Refuse a file that unpacks to far more than a receipt would. Raises Refused."""
    room = min(MAX_UNPACKED_BYTES, max(LEAST_UNPACKED_BYTES, MAX_RATIO * len(content)))
    for beginning in PACKED_STREAM.finditer(content):
        room -= _unpacked_bytes(memoryview(content)[beginning.end() :], room, MAX_LAYERS)
        if room < 0:
            raise Refused("size")


def _unpacked_bytes(packed: memoryview, limit: int, layers: int) -> int:
    """How many bytes this unpacks to, including what is packed inside it; counting stops just past the limit."""
    unpacker, pieces, size = zlib.decompressobj(), [], 0
    for start in range(0, len(packed), CHUNK):
        try:
            pieces.append(unpacker.decompress(packed[start : start + CHUNK], limit - size + 1))
        except zlib.error:
            break
        size += len(pieces[-1])
        if unpacker.eof or size > limit:
            break
    if size and size <= limit and layers > 1:
        size += _unpacked_bytes(memoryview(b"".join(pieces)), limit - size, layers - 1)
    return size
