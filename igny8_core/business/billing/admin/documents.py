"""PDFs in the console: the file to save, and a picture of its pages inside the page, which every browser can show."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from igny8_core.business.billing.models import ProofType
from igny8_core.business.billing.services.proofs import files
from igny8_core.common.api.downloads import PDF, file_response
from igny8_core.common.errors import DomainError
from igny8_core.console.pages import ConsoleAdmin

SHOWN = """
<img class="console-document" src="{picture}" alt="The pages of {number}. Save the PDF if they are not shown."
loading="lazy" width="1400" height="1980"><div><a class="text-link" href="{pdf}">Save the PDF</a></div>
"""


class ShowsDocument(ConsoleAdmin):
    """The PDF of a row: its address, a picture of its pages, and the field that shows both."""

    def drawn(self, row: Any) -> bytes:
        """The row's PDF. Raises PdfUnavailable."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        """The model's pages, and the addresses of a row's PDF and picture."""
        pdf, picture = map(self.admin_site.admin_view, (self.pdf_view, self.picture_view))
        return [
            path("<path:object_id>/pdf/", pdf, name=f"{self._name}_pdf"),
            path("<path:object_id>/picture/", picture, name=f"{self._name}_picture"),
            *super().get_urls(),
        ]

    def pdf_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The row's PDF, to save. Raises PermissionDenied, Http404."""
        row = self._row(request, object_id)
        return served(lambda: self.drawn(row), PDF, f"{row}.pdf", inline=False)

    def picture_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The pages of the row's PDF as one picture. Raises PermissionDenied, Http404."""
        row = self._row(request, object_id)
        return served(lambda: files.picture_of(self.drawn(row)), ProofType.JPEG, f"{row}.jpg", inline=True)

    @display(description="PDF")
    def document(self, row: Any) -> str:
        """The pages as a picture, and the link to the file."""
        addresses = {name: reverse(f"admin:{self._name}_{name}", args=[row.pk]) for name in ("pdf", "picture")}
        return format_html(SHOWN, number=row, **addresses)

    @property
    def _name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row


def served(read: Callable[[], bytes], content_type: str, name: str, *, inline: bool) -> HttpResponse:
    """The file that `read` gives, or the sentence of its DomainError as text."""
    try:
        content = read()
    except DomainError as fault:
        return HttpResponse(fault.text, status=fault.http_status, content_type="text/plain")
    return file_response(content, str(content_type), name, inline=inline)
