"""The invoices of the caller's account: reading, downloading and paying them."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.callers import Reading
from igny8_core.auth.permissions import CanManageBilling, IsMember, account_of, caller_of, user_of
from igny8_core.business.billing.api.invoice_serializers import PayInput, PayOutput
from igny8_core.business.billing.api.paying import GATEWAY_REFUSALS, PAY_MESSAGES, SEND_AND_CONFIRM, PayThrottle
from igny8_core.business.billing.errors import (
    BillingBoundReached,
    ConfirmationAlreadyOpen,
    InvoiceNotFound,
    InvoiceNotPayable,
    OverLimits,
    PaymentMethodNotAvailable,
    PdfUnavailable,
    PlanChangeOutdated,
    PlanChangePeriodOver,
    RenewalPaid,
    RequestKeyReused,
    SavedMethodDisabled,
    SavedMethodNotFound,
)
from igny8_core.business.billing.hot_reads import first_invoices_of, read_first_invoices
from igny8_core.business.billing.invoice_search import numbered
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.selectors import invoices_of
from igny8_core.business.billing.serializers import InvoiceOutput
from igny8_core.business.billing.services.invoices.pdf import render_invoice
from igny8_core.business.billing.services.payment_states.under_way import ATTEMPT_REFUSALS
from igny8_core.business.billing.services.payments.checkout import pay_invoice
from igny8_core.common.api.downloads import PDF_ANSWER, AnyType, PdfThrottle, pdf_response
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent, request_key
from igny8_core.common.api.pagination import COUNT_LIMIT
from igny8_core.common.api.query import choice_filter, date_filter, search_by
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ListViewSet


@extend_schema_view(list=extend_schema(operation_id="list_invoices"))
class InvoiceViewSet(ListViewSet):
    """The account's invoices. `search` matches any part of the number."""

    tag = "billing"
    permission_classes = (IsMember,)
    lookup_url_kwarg = "invoice_id"
    reads_person = False
    serializer_class = InvoiceOutput
    filters = {
        "status": choice_filter("status", InvoiceStatus),
        "date_from": date_filter("invoice_date__gte"),
        "date_to": date_filter("invoice_date__lte"),
        "search": search_by(numbered, picks=False),
    }
    orderings = {"created_at": "id", "invoice_date": "invoice_date", "due_date": "due_date", "total": "total"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Invoice]:
        return invoices_of(account_of(self.request)).prefetch_related("lines")

    def reading(self, request: Request) -> Reading | None:
        """The first page in its usual size is read with the session; any other size is first checked, in list()."""
        if self.action != "list" or request.META.get("QUERY_STRING"):
            return None
        return read_first_invoices(size=self.pagination_class.page_size, count_limit=COUNT_LIMIT + 1)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The first page by one prepared statement; any other page, order or filter as in every list."""
        if request.query_params.keys() - {"page_size"}:
            return super().list(request)
        paginator = self.pagination_class()
        reading = read_first_invoices(size=paginator.begin_first_page(request), count_limit=COUNT_LIMIT + 1)
        page = first_invoices_of(reading.rows(caller_of(request)))
        return paginator.first_page(page.rows, page.count)

    @extend_schema(operation_id="retrieve_invoice", responses=InvoiceOutput)
    @refuses(InvoiceNotFound)
    def retrieve(self, request: Request, invoice_id: int) -> Response:
        """One invoice."""
        return success(InvoiceOutput(own_invoice(request, invoice_id)).data)

    @extend_schema(operation_id="download_invoice", responses=PDF_ANSWER)
    @action(detail=True, throttle_classes=(PdfThrottle,), content_negotiation_class=AnyType)
    @refuses(InvoiceNotFound, PdfUnavailable)
    def pdf(self, request: Request, invoice_id: int) -> HttpResponse:
        """One invoice as a PDF."""
        invoice = own_invoice(request, invoice_id)
        return pdf_response(render_invoice(invoice), invoice.invoice_number)

    @extend_schema(operation_id="pay_invoice", request=PayInput, responses=PayOutput)
    @action(detail=True, methods=["post"], permission_classes=(CanManageBilling,), throttle_classes=(PayThrottle,))
    @refuses(
        InvoiceNotFound,
        InvoiceNotPayable,
        ConfirmationAlreadyOpen,
        SavedMethodNotFound,
        SavedMethodDisabled,
        PaymentMethodNotAvailable,
        RequestKeyReused,
        BillingBoundReached,
        *ATTEMPT_REFUSALS,
        PlanChangeOutdated,
        PlanChangePeriodOver,
        RenewalPaid,
        OverLimits,
        *GATEWAY_REFUSALS,
    )
    @idempotent(asks_gateway=lambda *args, **kwargs: True)
    def pay(self, request: Request, invoice_id: int) -> Response:
        """Pay an open invoice.

        For bank transfers and wallets, the answer says what to send where; confirm the payment once you have sent it. A
        saved card is charged at once. For another card or PayPal, the answer has a client secret for Stripe.js or
        PayPal's address; when the customer is done there, call payments/{payment_id}/complete/.
        """
        charge_request = self.validated(PayInput)
        answer = pay_invoice(
            own_invoice(request, invoice_id),
            charge_request.get("payment_method", ""),
            charge_request.get("saved_method"),
            save_card=charge_request["save_card"],
            return_url=charge_request["return_url"],
            paid_by=user_of(request),
            request_key=request_key(request),
        )
        message = PAY_MESSAGES[answer.attempt.next_step] if answer.attempt else SEND_AND_CONFIRM
        return success(PayOutput(answer).data, message)


def own_invoice(request: Request, invoice_id: int) -> Invoice:
    """The caller's invoice with this id. Raises InvoiceNotFound."""
    invoice = invoices_of(account_of(request)).filter(pk=invoice_id).first()
    if invoice is None:
        raise InvoiceNotFound()
    return invoice
