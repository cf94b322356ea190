"""Draw a PDF: a new file with a picture of each page. Only what can be seen goes into it."""

import math
from collections.abc import Iterator
from io import BytesIO

from PIL import Image
from pypdfium2 import PdfDocument, PdfiumError
from pypdfium2.raw import (
    FPDF_ERR_PASSWORD,
    FPDF_PAGEOBJ_IMAGE,
    FPDF_DocumentHasValidCrossReferenceTable,
    FPDF_GetSecurityHandlerRevision,
    FPDFPage_CountObjects,
)

from .packed import require_little_inside
from .refusal import Refused

MAX_PAGES = 20
DOTS_PER_INCH = 200
POINTS_PER_INCH = 72
# Limit for all pages together: ten A4 pages are drawn at 200 dots per inch, twenty at 140.
MAX_PIXELS = 40_000_000
# Limit for one picture on a page. A scanned A4 page at 600 dots per inch has 35 million.
MAX_PIXELS_OF_PICTURE = 50_000_000
# For all pictures together: twenty scanned pages of that size.
MAX_PIXELS_OF_PICTURES = 700_000_000
MAX_DEPTH_OF_PICTURES = 5
# Tried in this order until the result is small enough: share of the pixels per side, JPEG quality.
WANTED_BYTES = 5 * 1024 * 1024
COARSENESS = ((1, 85), (1, 60), (0.7, 60), (0.5, 50))

# Everything that is drawn on all pages. A statement of 20 pages has ten thousand.
MAX_OBJECTS = 100_000
NOT_ENCRYPTED = -1


def rewritten(content: bytes) -> bytes:
    """The same pages as pictures in a new file. Raises Refused, or whatever the library raises for a broken file."""
    require_little_inside(content)
    source = _opened(content)
    scale = _scale(source)
    _require_few_objects(source)
    pages = [_drawn(source, number, scale) for number in range(len(source))]
    if all(_is_plain(page) for page in pages):
        raise Refused("blank")
    return _saved(pages, scale * POINTS_PER_INCH)


def drawn_pages(content: bytes) -> Iterator[Image.Image]:
    """The pages of a file of ours as pictures. Raises Refused, or whatever the library raises for a broken file."""
    source = _opened(content)
    scale = _scale(source)
    for number in range(len(source)):
        yield _drawn(source, number, scale)


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


def _require_few_objects(source: PdfDocument) -> None:
    """Refuse what would take long to draw, before any of it is drawn."""
    objects = pixels = 0
    for number in range(len(source)):
        page = source[number]
        objects += FPDFPage_CountObjects(page)
        if objects > MAX_OBJECTS:
            raise Refused("objects")
        for placed in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=MAX_DEPTH_OF_PICTURES):
            width, height = placed.get_px_size()
            pixels += width * height
            if width * height > MAX_PIXELS_OF_PICTURE or pixels > MAX_PIXELS_OF_PICTURES:
                raise Refused("pictures")
        page.close()


def _scale(source: PdfDocument) -> float:
    """Pixels per point, the same for all pages."""
    sizes = [source.get_page_size(number) for number in range(len(source))]
    area = sum(width * height for width, height in sizes)
    if not 0 < area < math.inf:
        raise Refused("broken")
    return min(DOTS_PER_INCH / POINTS_PER_INCH, math.sqrt(MAX_PIXELS / area))


def _drawn(source: PdfDocument, number: int, scale: float) -> Image.Image:
    page = source[number]
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
