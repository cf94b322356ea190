"""Draw the pages of a PDF below one another as one picture, to look at it beside the figures that it should show."""

from io import BytesIO

from PIL import Image

from .pdfs import drawn_pages

# A phone's and a desk's width; letters of a bank's statement can still be read when it is doubled.
WIDTH = 1400
# What a browser draws in one piece. Further pages are in the PDF itself.
MAX_HEIGHT = 16_000


def rewritten(content: bytes) -> bytes:
    """A JPEG of the pages. Raises Refused, or whatever the library raises for a broken file."""
    sheets: list[Image.Image] = []
    height = 0
    for page in drawn_pages(content):
        sheet = page.resize((WIDTH, max(1, page.height * WIDTH // page.width)))
        if sheets and height + sheet.height > MAX_HEIGHT:
            break
        sheets.append(sheet)
        height += sheet.height
    whole, top = Image.new("RGB", (WIDTH, min(height, MAX_HEIGHT)), "white"), 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    target = BytesIO()
    whole.save(target, "JPEG", quality=80)
    return target.getvalue()
