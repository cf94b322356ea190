"""Payments: customers look at theirs and go on with one, an operator approves or rejects it."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.models import PaymentMethodType
from igny8_core.auth.permissions import CanManageBilling, IsMember, IsOperator, account_of, user_of
from igny8_core.business.billing.api.paying import GATEWAY_REFUSALS, PAY_MESSAGES
from igny8_core.business.billing.api.payment_serializers import AttemptOutput
from igny8_core.business.billing.errors import (
    DuplicateReference,
    InvoiceNotPayable,
    OwnAccountPayment,
    PaymentNotAtGateway,
    PaymentNotFound,
    PaymentNotPending,
    SubscriptionNotPayable,
)
from igny8_core.business.billing.models import Payment, PaymentStatus
from igny8_core.business.billing.selectors import payment_to_decide, payments_of
from igny8_core.business.billing.serializers import (
    ApproveInput,
    ApproveOutput,
    PaymentOutput,
    RejectInput,
    RejectOutput,
)
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent
from igny8_core.common.api.query import choice_filter, search_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.api.views import ApiView, ListViewSet
from igny8_core.common.errors import MoveNotAllowed


@extend_schema_view(list=extend_schema(operation_id="list_payments"))
class PaymentViewSet(ListViewSet):
    """The account's payments; `search` finds a part of the reference or of the invoice's number."""

    tag = "billing"
    permission_classes = (IsMember,)
    lookup_url_kwarg = "payment_id"
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

    @extend_schema(operation_id="complete_payment", request=None, responses=AttemptOutput)
    @action(detail=True, methods=["post"], permission_classes=(CanManageBilling,))
    @refuses(PaymentNotFound, PaymentNotAtGateway, *GATEWAY_REFUSALS)
    def complete(self, request: Request, payment_id: int) -> Response:
        """Go on with a card or PayPal payment after the customer was at the payment service; it can be repeated.

        An approved PayPal payment is taken now. In any case the payment service is asked, and its answer counts.
        """
        self.validated(StrictSerializer)
        payment = self.rows().filter(pk=payment_id).first()
        if payment is None:
            raise PaymentNotFound()
        attempt = PaymentService.complete_payment(payment)
        return success(AttemptOutput(attempt).data, PAY_MESSAGES[attempt.next_step])


class DecisionView(ApiView):
    """What approve and reject share: operators only, any account's payment."""

    permission_classes = (IsOperator,)
    operator_permission = "billing.approve_payment"

    def payment(self, payment_id: int) -> Payment:
        """The payment with this id. Raises PaymentNotFound."""
        payment = payment_to_decide(payment_id)
        if payment is None:
            raise PaymentNotFound()
        return payment


class ApprovePaymentView(DecisionView):
    @extend_schema(
        operation_id="approve_payment",
        tags=["operators"],
        request=ApproveInput,
        responses=ApproveOutput,
    )
    @refuses(
        PaymentNotFound,
        PaymentNotPending,
        OwnAccountPayment,
        DuplicateReference,
        InvoiceNotPayable,
        SubscriptionNotPayable,
        MoveNotAllowed,
    )
    @idempotent()
    def post(self, request: Request, payment_id: int) -> Response:
        """Accept a manual payment: pays the invoice, starts subscription and account, grants the credits."""
        decision = self.validated(ApproveInput)
        settlement = PaymentService.approve_manual_payment(self.payment(payment_id), user_of(request), **decision)
        return success(ApproveOutput(settlement).data, "Payment approved successfully. Account activated.")


class RejectPaymentView(DecisionView):
    @extend_schema(
        operation_id="reject_payment",
        tags=["operators"],
        request=RejectInput,
        responses=RejectOutput,
    )
    @refuses(PaymentNotFound, PaymentNotPending, OwnAccountPayment, MoveNotAllowed)
    @idempotent()
    def post(self, request: Request, payment_id: int) -> Response:
        """Refuse a manual payment; the invoice stays open and the customer can confirm again."""
        reason = self.validated(RejectInput)["admin_notes"]
        payment = PaymentService.reject_manual_payment(self.payment(payment_id), reason, user_of(request))
        return success(RejectOutput(payment).data, "Payment rejected. The customer can confirm again.")
