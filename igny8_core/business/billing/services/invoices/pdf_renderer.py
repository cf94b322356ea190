"""The PDF renderer: HTML in, bytes out. It reads no file or address but the fonts and logo of this package.

Importing this module raises OSError if Pango is not installed; pdf.py imports it when a PDF is wanted.
"""

import mimetypes
import threading
from pathlib import Path

from django.conf import settings
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

FOLDER = Path(__file__).parents[2]
SCHEME = "packaged:"
PACKAGED_FILES = {f"{SCHEME}{font.name}": font for font in (FOLDER / "fonts").glob("*.ttf")}
PACKAGED_FILES[f"{SCHEME}logo"] = Path(settings.COMPANY_LOGO or FOLDER / "templates/pdf/logo.svg")


class PackagedFilesOnly(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Loads our fonts and logo by name and refuses every other address: no network, no other files (PDF-02…05)."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url not in PACKAGED_FILES:
            raise ValueError("An invoice shows only what comes with this package.")
        file = PACKAGED_FILES[url]
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": content_type})


# Fonts are read once per process, because one configuration per PDF leaks memory (measured: 200 MB over 800 PDFs).
# Threads must not use it at the same time, hence the lock. The fonts are TTF, because unpacking them from WOFF2 takes
# 11 s of processor time in every process.
_fetcher = PackagedFilesOnly()
_fonts = FontConfiguration()
_stylesheet = CSS(string=(FOLDER / "templates/pdf/invoice.css").read_text(), font_config=_fonts, url_fetcher=_fetcher)
_lock = threading.Lock()


def to_pdf(html: str) -> bytes:
    """Lay out `html` on A4 with the package's stylesheet, tagged for screen readers (PDF/UA-1)."""
    with _lock:
        pdf: bytes = HTML(string=html, url_fetcher=_fetcher).write_pdf(
            stylesheets=[_stylesheet], font_config=_fonts, pdf_variant="pdf/ua-1"
        )
    return pdf
