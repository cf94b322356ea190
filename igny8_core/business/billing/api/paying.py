"""Paying by any method: how it is begun, and how it goes on after the customer was at the payment service."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.permissions import CanManageBilling, account_of, user_of
from igny8_core.business.billing.api.invoices import own_invoice
from igny8_core.business.billing.api.payment_serializers import AttemptOutput, PayInput, PayOutput
from igny8_core.business.billing.errors import (
    AuthenticationRequired,
    BillingBoundReached,
    ConfirmationAlreadyOpen,
    GatewayMisconfigured,
    GatewayNotConfigured,
    GatewayUnavailable,
    InvoiceNotFound,
    InvoiceNotPayable,
    PaymentBeingChecked,
    PaymentDeclined,
    PaymentMethodNotAvailable,
    PaymentNotAtGateway,
    PaymentNotFound,
    RequestKeyReused,
    SavedMethodDisabled,
    SavedMethodNotFound,
)
from igny8_core.business.billing.selectors import payments_of
from igny8_core.business.billing.services.attempts import NextStep
from igny8_core.business.billing.services.paying import pay_invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent, request_key
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.api.throttling import UserThrottle
from igny8_core.common.api.views import ApiView

SEND_AND_CONFIRM = "Send the money, quote the reference, then confirm the payment."
PAY_MESSAGES = {
    NextStep.NONE: "The invoice is paid.",
    NextStep.ENTER_CARD: "Enter the card in the form of the payment service.",
    NextStep.AUTHENTICATE: "The bank wants the cardholder to confirm this payment.",
    NextStep.APPROVE: "Approve the payment at PayPal.",
    NextStep.WAIT: "The payment is being checked. You will be told how it ended; please do not pay again meanwhile.",
}
GATEWAY_REFUSALS = (
    GatewayNotConfigured,
    GatewayUnavailable,
    GatewayMisconfigured,
    PaymentDeclined,
    AuthenticationRequired,
)


class PayThrottle(UserThrottle):
    """Against trying cards one after the other."""

    scope = "pay"


class PayInvoiceView(ApiView):
    permission_classes = (CanManageBilling,)
    throttle_classes = (PayThrottle,)

    @extend_schema(operation_id="pay_invoice", tags=["billing"], request=PayInput, responses=PayOutput)
    @refuses(
        InvoiceNotFound,
        InvoiceNotPayable,
        ConfirmationAlreadyOpen,
        SavedMethodNotFound,
        SavedMethodDisabled,
        PaymentMethodNotAvailable,
        RequestKeyReused,
        PaymentBeingChecked,
        BillingBoundReached,
        *GATEWAY_REFUSALS,
    )
    @idempotent(asks_gateway=lambda *args, **kwargs: True)
    def post(self, request: Request, invoice_id: int) -> Response:
        """Pay an open invoice.

        By bank or wallet the answer says what to send where; confirm the payment when you have sent it. A saved card is
        charged at once. For another card and for PayPal the answer holds what the customer goes on with: a client
        secret for Stripe.js, or PayPal's address; afterwards call payments/{payment_id}/complete/.
        """
        wish = self.validated(PayInput)
        answer = pay_invoice(
            own_invoice(request, invoice_id),
            wish.get("payment_method", ""),
            wish.get("saved_method"),
            save_card=wish["save_card"],
            return_url=wish["return_url"],
            paid_by=user_of(request),
            request_key=request_key(request),
        )
        message = PAY_MESSAGES[answer.attempt.next_step] if answer.attempt else SEND_AND_CONFIRM
        return success(PayOutput(answer).data, message)


class CompletePaymentView(ApiView):
    permission_classes = (CanManageBilling,)

    @extend_schema(operation_id="complete_payment", tags=["billing"], request=None, responses=AttemptOutput)
    @refuses(PaymentNotFound, PaymentNotAtGateway, *GATEWAY_REFUSALS)
    def post(self, request: Request, payment_id: int) -> Response:
        """Go on with a card or PayPal payment after the customer was at the payment service; it can be repeated.

        An approved PayPal payment is taken now. In any case the payment service is asked, and its answer counts.
        """
        self.validated(StrictSerializer)
        payment = payments_of(account_of(request)).filter(pk=payment_id).first()
        if payment is None:
            raise PaymentNotFound()
        attempt = PaymentService.complete_payment(payment)
        return success(AttemptOutput(attempt).data, PAY_MESSAGES[attempt.next_step])
