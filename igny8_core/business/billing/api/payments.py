"""One's own payments: listing them, and telling us of one by bank or wallet."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.models import PaymentMethodType
from igny8_core.auth.permissions import CanManageBilling, IsMember, account_of, user_of
from igny8_core.business.billing.errors import (
    AmountMismatch,
    ConfirmationAlreadyOpen,
    InvoiceNotFound,
    InvoiceNotPayable,
    NoSuchProof,
    PaymentMethodNotAvailable,
    ProofAlreadyUsed,
)
from igny8_core.business.billing.models import Payment, PaymentStatus
from igny8_core.business.billing.selectors import invoices_of, payments_of, proofs_of
from igny8_core.business.billing.serializers import ConfirmInput, ConfirmOutput, PaymentOutput
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent
from igny8_core.common.api.query import choice_filter, search_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import UserThrottle
from igny8_core.common.api.views import ApiView, ListView
from igny8_core.common.money import InvalidAmount


class ConfirmThrottle(UserThrottle):
    scope = "confirm"


@extend_schema_view(get=extend_schema(operation_id="list_payments", tags=["billing"]))
class PaymentListView(ListView):
    """The account's payments; `search` finds a part of the reference or of the invoice's number."""

    permission_classes = (IsMember,)
    serializer_class = PaymentOutput
    filters = {
        "status": choice_filter("status", PaymentStatus),
        "payment_method": choice_filter("payment_method", PaymentMethodType),
        "search": search_filter("manual_reference__icontains", "invoice__invoice_number__icontains"),
    }
    orderings = {"created_at": "id", "amount": "amount"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Payment]:
        return payments_of(account_of(self.request))


class ConfirmPaymentView(ApiView):
    permission_classes = (CanManageBilling,)
    throttle_classes = (ConfirmThrottle,)

    @extend_schema(
        operation_id="confirm_payment",
        tags=["billing"],
        request=ConfirmInput,
        responses={201: ConfirmOutput},
    )
    @refuses(
        InvoiceNotFound,
        InvoiceNotPayable,
        AmountMismatch,
        InvalidAmount,
        PaymentMethodNotAvailable,
        ConfirmationAlreadyOpen,
        NoSuchProof,
        ProofAlreadyUsed,
    )
    @idempotent()
    def post(self, request: Request) -> Response:
        """Tell us that an invoice was paid by bank or wallet; operators check it and you are notified."""
        confirmation = self.validated(ConfirmInput)
        invoice = invoices_of(account_of(request)).filter(pk=confirmation["invoice_id"]).first()
        if invoice is None:
            raise InvoiceNotFound()
        proof = None
        if "proof" in confirmation:
            proof = proofs_of(account_of(request)).filter(pk=confirmation["proof"]).first()
            if proof is None:
                raise NoSuchProof(errors={"proof": [NoSuchProof.text]})
        payment = PaymentService.create_manual_payment(
            invoice,
            confirmation["payment_method"],
            confirmation["manual_reference"],
            amount=confirmation["amount"],
            notes=confirmation["manual_notes"],
            proof_url=confirmation["proof_url"],
            proof=proof,
            submitted_by=user_of(request),
        )
        message = "Payment confirmation submitted for review. You will be notified once approved."
        return success(ConfirmOutput(payment).data, message, status=201)
