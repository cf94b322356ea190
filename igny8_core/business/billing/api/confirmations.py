"""Confirmations: customers tell us that they paid an invoice by bank transfer or wallet."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.permissions import CanManageBilling, account_of, user_of
from igny8_core.business.billing.api.confirmation_serializers import ConfirmInput, ConfirmOutput
from igny8_core.business.billing.errors import (
    AmountMismatch,
    ConfirmationAlreadyOpen,
    InvoiceNotFound,
    InvoiceNotPayable,
    NoSuchProof,
    PaymentMethodNotAvailable,
    ProofAlreadyUsed,
)
from igny8_core.business.billing.selectors import invoices_of, proofs_of
from igny8_core.business.billing.services.payment_states.under_way import ATTEMPT_REFUSALS
from igny8_core.business.billing.services.payments.offline import create_manual_payment
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import UserThrottle
from igny8_core.common.api.views import ApiViewSet
from igny8_core.common.money import InvalidAmount


class ConfirmThrottle(UserThrottle):
    scope = "confirm"


class ConfirmationViewSet(ApiViewSet):
    """Confirmations of the account's payments, for operators to approve or reject."""

    tag = "billing"
    permission_classes = (CanManageBilling,)
    throttle_classes = (ConfirmThrottle,)

    @extend_schema(operation_id="confirm_payment", request=ConfirmInput, responses={201: ConfirmOutput})
    @refuses(
        InvoiceNotFound,
        InvoiceNotPayable,
        AmountMismatch,
        InvalidAmount,
        PaymentMethodNotAvailable,
        ConfirmationAlreadyOpen,
        NoSuchProof,
        ProofAlreadyUsed,
        *ATTEMPT_REFUSALS,
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Tell us that you paid an invoice by bank transfer or wallet. An operator checks it, and you are notified."""
        confirmation = self.validated(ConfirmInput)
        invoice = invoices_of(account_of(request)).filter(pk=confirmation["invoice_id"]).first()
        if invoice is None:
            raise InvoiceNotFound()
        proof = None
        if "proof" in confirmation:
            proof = proofs_of(account_of(request)).filter(pk=confirmation["proof"]).first()
            if proof is None:
                raise NoSuchProof(errors={"proof": [NoSuchProof.text]})
        payment = create_manual_payment(
            invoice,
            confirmation["payment_method"],
            confirmation["manual_reference"],
            amount=confirmation["amount"],
            notes=confirmation["manual_notes"],
            transferred_on=confirmation.get("transferred_on"),
            payer_name=confirmation["payer_name"],
            proof_url=confirmation["proof_url"],
            proof=proof,
            submitted_by=user_of(request),
        )
        message = _("Payment confirmation submitted for review. You will be notified once approved.")
        return success(ConfirmOutput(payment).data, message, status=201)
