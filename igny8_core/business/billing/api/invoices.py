"""The invoices of one's own account."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.permissions import IsMember, account_of
from igny8_core.business.billing.errors import InvoiceNotFound
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.selectors import invoices_of
from igny8_core.business.billing.serializers import InvoiceOutput
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import choice_filter, date_filter, search_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView, ListView


@extend_schema_view(get=extend_schema(operation_id="list_invoices", tags=["billing"]))
class InvoiceListView(ListView):
    """The account's invoices; `search` finds a part of the number."""

    permission_classes = (IsMember,)
    serializer_class = InvoiceOutput
    filters = {
        "status": choice_filter("status", InvoiceStatus),
        "date_from": date_filter("invoice_date__gte"),
        "date_to": date_filter("invoice_date__lte"),
        "search": search_filter("invoice_number__icontains"),
    }
    orderings = {"created_at": "id", "invoice_date": "invoice_date", "due_date": "due_date", "total": "total"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Invoice]:
        return invoices_of(account_of(self.request))


class InvoiceDetailView(ApiView):
    permission_classes = (IsMember,)

    @extend_schema(operation_id="retrieve_invoice", tags=["billing"], responses=InvoiceOutput)
    @refuses(InvoiceNotFound)
    def get(self, request: Request, invoice_id: int) -> Response:
        """One invoice."""
        return success(InvoiceOutput(own_invoice(request, invoice_id)).data)


def own_invoice(request: Request, invoice_id: int) -> Invoice:
    """The caller's invoice with this id. Raises InvoiceNotFound."""
    invoice = invoices_of(account_of(request)).filter(pk=invoice_id).first()
    if invoice is None:
        raise InvoiceNotFound()
    return invoice
