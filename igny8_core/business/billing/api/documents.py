"""Invoices as PDFs."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from igny8_core.auth.permissions import IsMember
from igny8_core.business.billing.api.invoices import own_invoice
from igny8_core.business.billing.errors import InvoiceNotFound, PdfUnavailable
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.common.api.downloads import PDF_ANSWER, AnyType, PdfThrottle, pdf_response
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView


class InvoicePdfView(ApiView):
    permission_classes = (IsMember,)
    throttle_classes = (PdfThrottle,)
    content_negotiation_class = AnyType

    @extend_schema(operation_id="download_invoice", tags=["billing"], responses=PDF_ANSWER)
    @refuses(InvoiceNotFound, PdfUnavailable)
    def get(self, request: Request, invoice_id: int) -> HttpResponse:
        """One invoice as a PDF."""
        invoice = self.invoice(request, invoice_id)
        return pdf_response(InvoiceService.generate_pdf(invoice), invoice.invoice_number)

    def invoice(self, request: Request, invoice_id: int) -> Invoice:
        """The caller's invoice with this id. Raises InvoiceNotFound."""
        return own_invoice(request, invoice_id)
