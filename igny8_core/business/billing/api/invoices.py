"""The invoices of one's own account."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.permissions import IsMember, account_id_of, account_of
from igny8_core.business.billing.api.serializers import InvoiceOutput
from igny8_core.business.billing.errors import InvoiceNotFound
from igny8_core.business.billing.hot_reads import first_invoices_of
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.selectors import invoices_of
from igny8_core.common.api.envelope import success
from igny8_core.common.api.pagination import COUNT_LIMIT
from igny8_core.common.api.query import choice_filter, date_filter, search_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView, ListView


@extend_schema_view(get=extend_schema(operation_id="list_invoices", tags=["billing"]))
class InvoiceListView(ListView):
    """The account's invoices; `search` finds a part of the number."""

    permission_classes = (IsMember,)
    reads_person = False
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

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The newest invoices by one statement; other pages, orders and filters as in every list."""
        if request.query_params.keys() - {"page_size"}:
            return super().get(request)
        paginator = self.pagination_class()
        size = paginator.begin_first_page(request)
        page = first_invoices_of(account_id_of(request), size=size, count_limit=COUNT_LIMIT + 1)
        return paginator.first_page(page.rows, page.count)


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
