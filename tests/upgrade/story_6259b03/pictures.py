"""A file that a customer uploads."""

from io import BytesIO

from PIL import Image


def red_square() -> bytes:
    """A PNG of eight by eight."""
    file = BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()
