"""Errors about payments by card and PayPal, and about what their gateways report."""

from collections.abc import Sequence

from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop
from igny8_core.common.obstacles import Obstacle


class GatewayNotConfigured(DomainError):
    code = "gateway_not_configured"
    http_status = 503
    text = gettext_noop("Card and PayPal payments are not set up here yet. Choose another payment method.")


class GatewayUnavailable(DomainError):
    code = "gateway_unavailable"
    http_status = 503
    text = gettext_noop(
        "The payment service cannot be reached at the moment. Nothing was charged. Try again in a minute, or choose "
        "another payment method."
    )


class GatewayMisconfigured(DomainError):
    code = "gateway_misconfigured"
    http_status = 503
    text = gettext_noop(
        "The payment service refused our request. This is our fault. Nothing was charged, and we have been notified. "
        "Choose another payment method, or try again later."
    )


class PaymentDeclined(DomainError):
    code = "payment_declined"
    http_status = 402
    text = gettext_noop("The payment was declined. Nothing was charged. Use another card or another payment method.")


class AuthenticationRequired(DomainError):
    code = "authentication_required"
    http_status = 402
    text = gettext_noop(
        "The bank wants the cardholder to confirm this payment. Nothing was charged. Pay the invoice again while the "
        "cardholder is present."
    )


class PaymentBeingChecked(DomainError):
    code = "payment_being_checked"
    http_status = 409
    text = gettext_noop(
        "A payment of this invoice is being checked with the payment service. We will tell you the outcome. Please do "
        "not pay again in the meantime."
    )


class AttemptOpen(Obstacle, DomainError):
    """Open payment attempts block an operation. They are closed at their gateway, then the operation runs again.

    `payment_ids` are the ids of the payments to close.
    """

    code = "attempt_open"
    http_status = 409
    text = gettext_noop(
        "Somebody keeps starting a payment of this invoice by card or PayPal. Close the payment page, then try again."
    )

    def __init__(self, payment_ids: Sequence[int]) -> None:
        super().__init__()
        self.payment_ids = payment_ids


class AttemptNotClosed(DomainError):
    code = "attempt_not_closed"
    http_status = 503
    text = gettext_noop(
        "A payment of this invoice by card or PayPal is open and has to be closed first. The payment service cannot be "
        "reached for that at the moment. Nothing was changed. Try again in a minute."
    )


class InvoicePaidMeanwhile(DomainError):
    code = "invoice_paid_meanwhile"
    http_status = 409
    text = gettext_noop(
        "A payment by card or PayPal has just gone through, so the invoice is paid now. Look at it again before you "
        "decide what to do."
    )


class PaymentNotAtGateway(DomainError):
    code = "payment_not_at_gateway"
    http_status = 409
    text = gettext_noop(
        "This payment was not made by card or PayPal. We check it by hand and will tell you the outcome."
    )


class RequestKeyReused(DomainError):
    code = "request_key_reused"
    http_status = 422
    text = gettext_noop(
        "This Idempotency-Key was already used for another payment or refund. Use a new key for a new one."
    )


class RefundUnderWay(DomainError):
    code = "refund_under_way"
    http_status = 409
    text = gettext_noop("A refund of this payment is under way. Wait until the payment service has answered.")


class RefundBeingChecked(DomainError):
    code = "refund_being_checked"
    http_status = 503
    text = gettext_noop(
        "The payment service has not confirmed the refund yet. We keep asking it, and the payment's page will show the "
        "outcome. Please do not refund again."
    )


class RefundRefused(DomainError):
    code = "refund_refused"
    http_status = 409
    text = gettext_noop("The payment service refused the refund. No money was refunded.")


class UnmatchedAtGateway(DomainError):
    code = "unmatched_at_gateway"
    http_status = 409
    text = gettext_noop(
        "The payment service has money or an order of this customer that matches nothing here. An operator decides."
    )


class NothingToReturn(DomainError):
    code = "nothing_to_return"
    http_status = 409
    text = gettext_noop(
        "The payment service holds no money to return for this payment. If the payment succeeded, refund it instead."
    )


class NoSavedCard(DomainError):
    code = "no_saved_card"
    http_status = 409
    text = gettext_noop(
        "The account has no saved card that can be charged. Send the customer the link of the invoice's payment page."
    )


class CardSetupIncomplete(DomainError):
    code = "card_setup_incomplete"
    http_status = 409
    text = gettext_noop(
        "The card is not saved yet. Complete the payment service's form first, then send the setup id again."
    )
