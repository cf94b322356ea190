"""All payments, for operators: looking them up, deciding them, giving money back."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.admin.api.serializers import RefundInput, RefundOutput, StaffPaymentDetailOutput, StaffPaymentOutput
from igny8_core.auth.models import PaymentMethodType
from igny8_core.auth.permissions import IsOperator, user_of
from igny8_core.business.billing.api import payments
from igny8_core.business.billing.errors import (
    GatewayNotConfigured,
    OwnAccountPayment,
    PaymentNotFound,
    PaymentNotRefundable,
    RefundBeingChecked,
    RefundExceedsPayment,
    RefundRefused,
    RefundUnderWay,
    RequestKeyReused,
)
from igny8_core.business.billing.models import GATEWAY_METHODS, Payment, PaymentStatus
from igny8_core.business.billing.selectors import all_payments, payments_matching
from igny8_core.business.billing.serializers import PaymentProofOutput
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent, request_key
from igny8_core.common.api.query import (
    choice_filter,
    flag_filter,
    from_day_filter,
    id_filter,
    search_by,
    to_day_filter,
)
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView, ListView
from igny8_core.common.errors import MoveNotAllowed, NotFound
from igny8_core.common.money import InvalidAmount


@extend_schema_view(get=extend_schema(operation_id="staff_list_payments", tags=["operators"]))
class PaymentListView(ListView):
    """Payments; `search` finds a reference, however it is written, or the beginning of an invoice's number."""

    permission_classes = (IsOperator,)
    operator_permissions = {"GET": "billing.view_payment"}
    serializer_class = StaffPaymentOutput
    filters = {
        "search": search_by(payments_matching),
        "status": choice_filter("status", PaymentStatus),
        "payment_method": choice_filter("payment_method", PaymentMethodType),
        "account": id_filter("account_id"),
        "flagged": flag_filter(Q(metadata__has_key="duplicate_of")),
        "created_from": from_day_filter("created_at"),
        "created_to": to_day_filter("created_at"),
    }
    orderings = {"created_at": "id"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Payment]:
        return all_payments()


class PaymentView(ApiView):
    """What operations on one payment share."""

    permission_classes = (IsOperator,)

    def payment(self, payment_id: int) -> Payment:
        """Any account's payment with this id. Raises PaymentNotFound."""
        payment = all_payments().filter(pk=payment_id).first()
        if payment is None:
            raise PaymentNotFound()
        return payment


class PaymentDetailView(PaymentView):
    operator_permissions = {"GET": "billing.view_payment"}

    @extend_schema(operation_id="staff_retrieve_payment", tags=["operators"], responses=StaffPaymentDetailOutput)
    @refuses(PaymentNotFound)
    def get(self, request: Request, payment_id: int) -> Response:
        """One payment with its notes, proof, and the payment that carries the same reference."""
        return success(StaffPaymentDetailOutput(self.payment(payment_id)).data)


class PaymentProofView(PaymentView):
    operator_permissions = {"GET": "billing.view_payment"}

    @extend_schema(operation_id="staff_retrieve_payment_proof", tags=["operators"], responses=PaymentProofOutput)
    @refuses(PaymentNotFound)
    def get(self, request: Request, payment_id: int) -> Response:
        """The file that the customer uploaded for a payment, with a link to fetch it within 5 minutes."""
        proof = self.payment(payment_id).proof
        if proof is None:
            raise NotFound()
        return success(PaymentProofOutput(proof, context=self.serializer_context()).data)


@extend_schema_view(post=extend_schema(operation_id="staff_approve_payment", tags=["operators"]))
class ApprovePaymentView(payments.ApprovePaymentView):
    """Approval under the operators' own address."""


@extend_schema_view(post=extend_schema(operation_id="staff_reject_payment", tags=["operators"]))
class RejectPaymentView(payments.RejectPaymentView):
    """Rejection under the operators' own address."""


def goes_through_gateway(view: PaymentView, request: Request, payment_id: int) -> bool:
    """Whether a refund of this payment asks a gateway. Raises PaymentNotFound."""
    return view.payment(payment_id).payment_method in GATEWAY_METHODS


class RefundPaymentView(PaymentView):
    operator_permissions = {"POST": "billing.refund_payment"}

    @extend_schema(
        operation_id="staff_refund_payment",
        tags=["operators"],
        request=RefundInput,
        responses=RefundOutput,
    )
    @refuses(
        PaymentNotFound,
        PaymentNotRefundable,
        RefundExceedsPayment,
        InvalidAmount,
        OwnAccountPayment,
        MoveNotAllowed,
        GatewayNotConfigured,
        RefundUnderWay,
        RefundRefused,
        RefundBeingChecked,
        RequestKeyReused,
    )
    @idempotent(asks_gateway=goes_through_gateway)
    def post(self, request: Request, payment_id: int) -> Response:
        """Give money of a payment back, in part or all that is left, and take back credits that were not spent.

        Card and PayPal money goes back through its gateway, other money by hand: `reference` is that transfer's.
        """
        refund = self.validated(RefundInput)
        credit_note = PaymentService.process_refund(
            self.payment(payment_id),
            refund.get("amount"),
            reason=refund["reason"],
            reference=refund["reference"],
            refunded_by=user_of(request),
            request_key=request_key(request),
        )
        return success(RefundOutput(credit_note).data, "Refund recorded.")
