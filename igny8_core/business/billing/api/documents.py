"""Invoices and credit notes as PDFs, and the list of one's own credit notes."""

from collections.abc import Callable

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from igny8_core.auth.permissions import IsMember, account_of
from igny8_core.business.billing.api.invoices import own_invoice
from igny8_core.business.billing.api.payment_serializers import CreditNoteRowOutput
from igny8_core.business.billing.errors import CreditNoteNotFound, InvoiceNotFound, PdfUnavailable
from igny8_core.business.billing.models import CreditNote, Invoice
from igny8_core.business.billing.selectors import credit_notes_of
from igny8_core.business.billing.services import pdf_service
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.common.api.downloads import AnyType, file_response
from igny8_core.common.api.query import from_day_filter, search_filter, to_day_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import UserThrottle
from igny8_core.common.api.views import ApiView, ListView

PDF = "application/pdf"


class PdfThrottle(UserThrottle):
    scope = "pdf"


class PdfView(ApiView):
    """A GET that draws a document: a second of processor time, so it is counted."""

    permission_classes = (IsMember,)
    throttle_classes = (PdfThrottle,)
    content_negotiation_class = AnyType

    def pdf(self, number: str, draw: Callable[[], bytes]) -> HttpResponse:
        """The document under its number, to be saved. Raises PdfUnavailable."""
        return file_response(draw(), PDF, f"{number}.pdf")


class InvoicePdfView(PdfView):
    @extend_schema(operation_id="download_invoice", tags=["billing"], responses={(200, PDF): OpenApiTypes.BINARY})
    @refuses(InvoiceNotFound, PdfUnavailable)
    def get(self, request: Request, invoice_id: int) -> HttpResponse:
        """One invoice as a PDF."""
        invoice = self.invoice(request, invoice_id)
        return self.pdf(invoice.invoice_number, lambda: InvoiceService.generate_pdf(invoice))

    def invoice(self, request: Request, invoice_id: int) -> Invoice:
        """The caller's invoice with this id. Raises InvoiceNotFound."""
        return own_invoice(request, invoice_id)


@extend_schema_view(get=extend_schema(operation_id="list_credit_notes", tags=["billing"]))
class CreditNoteListView(ListView):
    """Credit notes; `search` finds their number or that of their invoice."""

    permission_classes = (IsMember,)
    serializer_class = CreditNoteRowOutput
    filters = {
        "search": search_filter("credit_note_number__icontains", "invoice__invoice_number__icontains"),
        "date_from": from_day_filter("created_at"),
        "date_to": to_day_filter("created_at"),
    }
    orderings = {"created_at": "id", "amount": "amount"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[CreditNote]:
        return credit_notes_of(account_of(self.request))


class CreditNotePdfView(PdfView):
    @extend_schema(operation_id="download_credit_note", tags=["billing"], responses={(200, PDF): OpenApiTypes.BINARY})
    @refuses(CreditNoteNotFound, PdfUnavailable)
    def get(self, request: Request, credit_note_id: int) -> HttpResponse:
        """One credit note as a PDF."""
        credit_note = credit_notes_of(account_of(request)).filter(pk=credit_note_id).first()
        if credit_note is None:
            raise CreditNoteNotFound()
        return self.pdf(credit_note.credit_note_number, lambda: pdf_service.render_credit_note(credit_note))
