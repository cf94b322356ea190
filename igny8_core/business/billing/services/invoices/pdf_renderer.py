"""The sealed renderer of PDFs: HTML in, bytes out, and nothing is read but the files of this package.

Importing this module raises OSError where Pango is not installed; pdf_service imports it when a PDF is wanted.
"""

import mimetypes
import threading
from pathlib import Path

from django.conf import settings
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

FOLDER = Path(__file__).parent.parent
SCHEME = "packaged:"
PACKAGED_FILES = {f"{SCHEME}{font.name}": font for font in (FOLDER / "fonts").glob("*.ttf")}
PACKAGED_FILES[f"{SCHEME}logo"] = Path(settings.COMPANY_LOGO or FOLDER / "templates/pdf/logo.svg")


class PackagedFilesOnly(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Gives our fonts and logo by name and refuses every other address: no network, no files (threats.md PDF-02…05)."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url not in PACKAGED_FILES:
            raise ValueError("An invoice shows only what comes with this package.")
        file = PACKAGED_FILES[url]
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": content_type})


# Fonts are read once per process: a configuration per PDF leaks memory (measured: 200 MB over 800 PDFs), and threads
# that share one get in each other's way, hence the lock. They are stored as TTF, because unpacking the same fonts
# from WOFF2 takes 11 s of processor time in every process.
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
