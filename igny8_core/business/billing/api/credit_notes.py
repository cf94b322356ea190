"""The credit notes of the caller's account."""

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request

from igny8_core.auth.permissions import IsMember, account_of
from igny8_core.business.billing.api.credit_note_serializers import CreditNoteRowOutput
from igny8_core.business.billing.errors import CreditNoteNotFound, PdfUnavailable
from igny8_core.business.billing.models import CreditNote
from igny8_core.business.billing.selectors import credit_notes_of
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.common.api.downloads import PDF_ANSWER, AnyType, PdfThrottle, pdf_response
from igny8_core.common.api.query import from_day_filter, search_filter, to_day_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ListViewSet


@extend_schema_view(list=extend_schema(operation_id="list_credit_notes"))
class CreditNoteViewSet(ListViewSet):
    """Credit notes. `search` matches any part of the credit note's or invoice's number."""

    tag = "billing"
    permission_classes = (IsMember,)
    lookup_url_kwarg = "credit_note_id"
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

    @extend_schema(operation_id="download_credit_note", responses=PDF_ANSWER)
    @action(detail=True, throttle_classes=(PdfThrottle,), content_negotiation_class=AnyType)
    @refuses(CreditNoteNotFound, PdfUnavailable)
    def pdf(self, request: Request, credit_note_id: int) -> HttpResponse:
        """One credit note as a PDF."""
        credit_note = self.rows().filter(pk=credit_note_id).first()
        if credit_note is None:
            raise CreditNoteNotFound()
        return pdf_response(pdf.render_credit_note(credit_note), credit_note.credit_note_number)
