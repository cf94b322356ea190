"""All invoices, for operators: reading, creating and voiding them."""

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.admin.api.invoice_serializers import OperatorInvoiceOutput
from igny8_core.auth.errors import AccountDeleted, OwnAccount
from igny8_core.auth.permissions import IsOperator, require_other_account, user_of
from igny8_core.auth.selectors import account_with_id
from igny8_core.business.billing.errors import InvoiceNotFound, InvoiceNotPayable, PdfUnavailable
from igny8_core.business.billing.invoice_inputs import InvoiceInput, VoidInput
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.selectors import all_invoices, invoices_matching
from igny8_core.business.billing.serializers import LaterDayInput
from igny8_core.business.billing.services.dunning.pauses import extend_deadline
from igny8_core.business.billing.services.invoices.lifecycle import create_invoice, mark_void
from igny8_core.business.billing.services.invoices.pdf import render_invoice
from igny8_core.business.billing.services.payment_states.under_way import ATTEMPT_REFUSALS
from igny8_core.common.api.downloads import PDF_ANSWER, AnyType, PdfThrottle, pdf_response
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent
from igny8_core.common.api.query import choice_filter, code_filter, date_filter, id_filter, search_by
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ListViewSet
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.common.money import InvalidAmount


@extend_schema_view(list=extend_schema(operation_id="operator_list_invoices"))
class OperatorInvoiceViewSet(ListViewSet):
    """Invoices. `search` matches the beginning of the invoice number or of the account's name."""

    tag = "operators"
    permission_classes = (IsOperator,)
    operator_permissions = {
        "list": "billing.view_invoice",
        "retrieve": "billing.view_invoice",
        "pdf": "billing.view_invoice",
        "issue": "billing.add_invoice",
        "void": "billing.void_invoice",
        "extend_deadline": ("billing.view_invoice", "igny8_auth.decide_dunning"),
    }
    lookup_url_kwarg = "invoice_id"
    serializer_class = OperatorInvoiceOutput
    filters = {
        "search": search_by(invoices_matching),
        "status": choice_filter("status", InvoiceStatus),
        "currency": code_filter("currency", "[A-Z]{3}", "three capital letters (ISO 4217), for example USD"),
        "account": id_filter("account_id"),
        "date_from": date_filter("invoice_date__gte"),
        "date_to": date_filter("invoice_date__lte"),
    }
    orderings = {"created_at": "id"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Invoice]:
        return all_invoices().prefetch_related("lines")

    @extend_schema(operation_id="operator_retrieve_invoice", responses=OperatorInvoiceOutput)
    @refuses(InvoiceNotFound)
    def retrieve(self, request: Request, invoice_id: int) -> Response:
        """One invoice."""
        return success(OperatorInvoiceOutput(invoice_with_id(invoice_id)).data)

    @extend_schema(operation_id="operator_download_invoice", responses=PDF_ANSWER)
    @action(detail=True, throttle_classes=(PdfThrottle,), content_negotiation_class=AnyType)
    @refuses(InvoiceNotFound, PdfUnavailable)
    def pdf(self, request: Request, invoice_id: int) -> HttpResponse:
        """One invoice as a PDF."""
        invoice = invoice_with_id(invoice_id)
        return pdf_response(render_invoice(invoice), invoice.invoice_number)

    @extend_schema(operation_id="operator_create_invoice", request=InvoiceInput, responses={201: OperatorInvoiceOutput})
    @action(detail=False, methods=["post"], url_path="create")
    @refuses(InvalidAmount, OwnAccount, AccountDeleted)
    @idempotent()
    def issue(self, request: Request) -> Response:
        """Create an invoice by hand, in the currency of the account's plan."""
        order, operator = self.validated(InvoiceInput), user_of(request)
        account = account_with_id(order["account"])
        if account is None:
            raise ValidationError({"account": ["No such account. GET /api/v1/admin/accounts/ lists them."]})
        require_other_account(operator, account.pk)
        invoice = create_invoice(
            account,
            # As text, so that 89.000 is refused where the currency has two decimals.
            [{**line, "amount": str(line["amount"])} for line in order["line_items"]],
            notes=order["notes"],
            purchase_order_number=order["purchase_order_number"],
            due_date=order.get("due_date"),
            send=order["send"],
            created_by=operator,
        )
        message = "Invoice created. The customer gets it by e-mail." if order["send"] else "Invoice created, not sent."
        return success(OperatorInvoiceOutput(invoice).data, message, status=201)

    @extend_schema(operation_id="operator_void_invoice", request=VoidInput, responses=OperatorInvoiceOutput)
    @action(detail=True, methods=["post"])
    @refuses(InvoiceNotFound, TransitionNotAllowed, OwnAccount, *ATTEMPT_REFUSALS)
    @idempotent()
    def void(self, request: Request, invoice_id: int) -> Response:
        """Void an unpaid invoice. It keeps its number. Refused while a payment of it waits for a decision.

        An open card form or PayPal order for it is closed first.
        """
        reason, operator = self.validated(VoidInput)["reason"], user_of(request)
        invoice = invoice_with_id(invoice_id)
        require_other_account(operator, invoice.account_id)
        mark_void(invoice, reason, operator)
        return success(OperatorInvoiceOutput(invoice_with_id(invoice_id)).data, "Invoice voided.")

    @extend_schema(operation_id="operator_extend_deadline", request=LaterDayInput, responses=OperatorInvoiceOutput)
    @action(detail=True, methods=["post"], url_path="extend-deadline")
    @refuses(InvoiceNotFound, InvoiceNotPayable, OwnAccount, AccountDeleted)
    def extend_deadline(self, request: Request, invoice_id: int) -> Response:
        """Give the customer time to pay until the end of a day. The due date on the document stays as it is."""
        decision = self.validated(LaterDayInput)
        extend_deadline(invoice_with_id(invoice_id), decision["until"], decision["reason"], user_of(request))
        message = f"Nothing is done about the invoice until the end of {decision['until']}."
        return success(OperatorInvoiceOutput(invoice_with_id(invoice_id)).data, message)


def invoice_with_id(invoice_id: int) -> Invoice:
    """Any account's invoice with this id. Raises InvoiceNotFound."""
    invoice = all_invoices().filter(pk=invoice_id).first()
    if invoice is None:
        raise InvoiceNotFound()
    return invoice
