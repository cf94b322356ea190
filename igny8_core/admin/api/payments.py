"""All payments, for operators: reading, approving, rejecting and refunding them."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.admin.api.payment_serializers import (
    ApproveInput,
    ApproveOutput,
    OperatorPaymentDetailOutput,
    OperatorPaymentOutput,
    RefundInput,
    RefundOutput,
    RejectInput,
    RejectOutput,
)
from igny8_core.auth.models import PaymentMethodType
from igny8_core.auth.permissions import IsOperator, user_of
from igny8_core.business.billing.errors import (
    DuplicateReference,
    GatewayNotConfigured,
    InvoiceNotPayable,
    OwnAccountPayment,
    PaymentNotFound,
    PaymentNotPending,
    PaymentNotRefundable,
    PaymentUnderWay,
    PlanChangeOutdated,
    PlanChangePeriodOver,
    RefundBeingChecked,
    RefundExceedsPayment,
    RefundRefused,
    RefundUnderWay,
    RenewalPaid,
    RequestKeyReused,
    SubscriptionNotPayable,
)
from igny8_core.business.billing.models import GATEWAY_METHODS, Payment, PaymentStatus
from igny8_core.business.billing.selectors import all_payments, payments_matching, with_disputes
from igny8_core.business.billing.serializers import PaymentProofOutput
from igny8_core.business.billing.services.payments.offline import approve_manual_payment, reject_manual_payment
from igny8_core.business.billing.services.refunds.refunding import process_refund
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
from igny8_core.common.api.views import ApiViewSet, ListViewSet
from igny8_core.common.errors import NotFound, TransitionNotAllowed
from igny8_core.common.money import InvalidAmount


class PaymentDecisionViewSet(ApiViewSet):
    """Approving and rejecting payments that customers confirmed (bank transfer, wallet)."""

    tag = "operators"
    permission_classes = (IsOperator,)
    operator_permissions = {"approve": "billing.approve_payment", "reject": "billing.approve_payment"}
    lookup_url_kwarg = "payment_id"

    @extend_schema(operation_id="approve_payment", request=ApproveInput, responses=ApproveOutput)
    @action(detail=True, methods=["post"])
    @refuses(
        PaymentNotFound,
        PaymentNotPending,
        OwnAccountPayment,
        DuplicateReference,
        InvoiceNotPayable,
        SubscriptionNotPayable,
        PlanChangeOutdated,
        PlanChangePeriodOver,
        RenewalPaid,
        PaymentUnderWay,
        TransitionNotAllowed,
    )
    @idempotent()
    def approve(self, request: Request, payment_id: int) -> Response:
        """Approve a confirmed payment: the invoice is paid, the subscription starts, credits are granted.

        `message` sums up the result. Refused if the payment is for a change of plan whose price has changed since it
        was ordered; the message has both amounts. Order the change again then.
        """
        decision, payment = self.validated(ApproveInput), payment_with_id(payment_id)
        settlement = approve_manual_payment(payment, user_of(request), **decision)
        return success(ApproveOutput(settlement).data, settlement.text)

    @extend_schema(operation_id="reject_payment", request=RejectInput, responses=RejectOutput)
    @action(detail=True, methods=["post"])
    @refuses(PaymentNotFound, PaymentNotPending, OwnAccountPayment, TransitionNotAllowed)
    @idempotent()
    def reject(self, request: Request, payment_id: int) -> Response:
        """Reject a confirmed payment. The invoice stays open, and the customer can confirm a payment again.

        The customer reads the sentence of the `reason_code` and the `reason`, by mail and on the invoice's page. Only
        operators read the `internal_note`.
        """
        decision, payment = self.validated(RejectInput), payment_with_id(payment_id)
        rejected = reject_manual_payment(
            payment,
            decision.get("reason", ""),
            user_of(request),
            reason_code=decision.get("reason_code", ""),
            internal_note=decision.get("internal_note") or decision.get("admin_notes", ""),
        )
        return success(RejectOutput(rejected).data, "Payment rejected. The customer can confirm again.")


def goes_through_gateway(view: ApiViewSet, request: Request, payment_id: int) -> bool:
    """Whether a refund of this payment calls a gateway. Raises PaymentNotFound."""
    return payment_with_id(payment_id).payment_method in GATEWAY_METHODS


@extend_schema_view(
    list=extend_schema(operation_id="operator_list_payments"),
    approve=extend_schema(operation_id="operator_approve_payment"),
    reject=extend_schema(operation_id="operator_reject_payment"),
)
class OperatorPaymentViewSet(PaymentDecisionViewSet, ListViewSet):
    """Payments. `search` matches a reference in any spelling, or the beginning of an invoice number."""

    operator_permissions = {
        **PaymentDecisionViewSet.operator_permissions,
        "list": "billing.view_payment",
        "retrieve": "billing.view_payment",
        "proof": "billing.view_payment",
        "refund": "billing.refund_payment",
    }
    serializer_class = OperatorPaymentOutput
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

    @extend_schema(operation_id="operator_retrieve_payment", responses=OperatorPaymentDetailOutput)
    @refuses(PaymentNotFound)
    def retrieve(self, request: Request, payment_id: int) -> Response:
        """One payment, with notes, proof, disputes, and the payment with the same reference."""
        return success(OperatorPaymentDetailOutput(with_disputes(payment_with_id(payment_id))).data)

    @extend_schema(operation_id="operator_retrieve_payment_proof", responses=PaymentProofOutput)
    @action(detail=True)
    @refuses(PaymentNotFound)
    def proof(self, request: Request, payment_id: int) -> Response:
        """The customer's proof of a payment, with a link to download it within 5 minutes."""
        proof = payment_with_id(payment_id).proof
        if proof is None:
            raise NotFound()
        return success(PaymentProofOutput(proof, context=self.serializer_context()).data)

    @extend_schema(operation_id="operator_refund_payment", request=RefundInput, responses=RefundOutput)
    @action(detail=True, methods=["post"])
    @refuses(
        PaymentNotFound,
        PaymentNotRefundable,
        RefundExceedsPayment,
        InvalidAmount,
        OwnAccountPayment,
        TransitionNotAllowed,
        GatewayNotConfigured,
        RefundUnderWay,
        RefundRefused,
        RefundBeingChecked,
        RequestKeyReused,
    )
    @idempotent(asks_gateway=goes_through_gateway)
    def refund(self, request: Request, payment_id: int) -> Response:
        """Refund a payment, in part or all that is left. Unspent credits are taken back.

        Card and PayPal money is returned by the gateway. Send other money back yourself, and give the `reference` of
        your transfer.
        """
        refund = self.validated(RefundInput)
        credit_note = process_refund(
            payment_with_id(payment_id),
            refund.get("amount"),
            reason=refund["reason"],
            reference=refund["reference"],
            refunded_by=user_of(request),
            request_key=request_key(request),
        )
        return success(RefundOutput(credit_note).data, "Refund recorded.")


def payment_with_id(payment_id: int) -> Payment:
    """Any account's payment with this id. Raises PaymentNotFound."""
    payment = all_payments().filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFound()
    return payment
