"""What can be refused of card and PayPal, and of what their gateways send."""

from collections.abc import Sequence

from igny8_core.common.errors import DomainError
from igny8_core.common.obstacles import Obstacle


class GatewayNotConfigured(DomainError):
    code = "gateway_not_configured"
    http_status = 503
    text = "Card and PayPal payments are not set up here yet. Choose another payment method."


class GatewayUnavailable(DomainError):
    code = "gateway_unavailable"
    http_status = 503
    text = "The payment service cannot be reached at the moment. Nothing was charged; try again in a minute."


class GatewayMisconfigured(DomainError):
    code = "gateway_misconfigured"
    http_status = 503
    text = (
        "The payment service refused our request, which is our fault. Nothing was charged and we were told. Choose "
        "another payment method, or try again later."
    )


class PaymentDeclined(DomainError):
    code = "payment_declined"
    http_status = 402
    text = "The payment was declined. Nothing was charged; use another card or another payment method."


class AuthenticationRequired(DomainError):
    code = "authentication_required"
    http_status = 402
    text = (
        "The bank wants the cardholder to confirm this payment. Nothing was charged; pay the invoice once more while "
        "the cardholder is present."
    )


class PaymentBeingChecked(DomainError):
    code = "payment_being_checked"
    http_status = 409
    text = (
        "A payment of this invoice is being checked with the payment service. You will be told how it ended; please do "
        "not pay again meanwhile."
    )


class AttemptOpen(Obstacle, DomainError):
    """Attempts that were begun and not paid are in the way: they are closed at their gateway, and all is done anew.

    `payment_ids` are theirs.
    """

    code = "attempt_open"
    http_status = 409
    text = (
        "A payment of this invoice by card or PayPal was begun again and again while this was done. Close the page "
        "where it is paid, then send this again."
    )

    def __init__(self, payment_ids: Sequence[int]) -> None:
        super().__init__()
        self.payment_ids = payment_ids


class AttemptNotClosed(DomainError):
    code = "attempt_not_closed"
    http_status = 503
    text = (
        "A payment of this invoice was begun by card or PayPal, and the payment service cannot be reached to close it, "
        "so that it could still be paid. Nothing was changed here; try again in a minute."
    )


class InvoicePaidMeanwhile(DomainError):
    code = "invoice_paid_meanwhile"
    http_status = 409
    text = (
        "The payment by card or PayPal that was begun for this invoice has just gone through: the invoice is paid. "
        "Look at it again, then decide anew."
    )


class PaymentNotAtGateway(DomainError):
    code = "payment_not_at_gateway"
    http_status = 409
    text = "This payment was not made by card or PayPal: an operator checks it, and you will be told the outcome."


class RequestKeyReused(DomainError):
    code = "request_key_reused"
    http_status = 422
    text = "This Idempotency-Key began another payment or refund before. Take a new key for a new one."


class RefundUnderWay(DomainError):
    code = "refund_under_way"
    http_status = 409
    text = "A refund of this payment is under way. Wait until the payment service has answered."


class RefundBeingChecked(DomainError):
    code = "refund_being_checked"
    http_status = 503
    text = (
        "The payment service has not said whether the money went back. It is asked again by itself; the payment's page "
        "shows the outcome. Please do not refund again."
    )


class RefundRefused(DomainError):
    code = "refund_refused"
    http_status = 409
    text = "The payment service refused the refund. Nothing went back."


class UnmatchedAtGateway(DomainError):
    code = "unmatched_at_gateway"
    http_status = 409
    text = "The payment service has something of this customer that fits nothing here. An operator has to decide."


class NothingToReturn(DomainError):
    code = "nothing_to_return"
    http_status = 409
    text = "The payment service holds no money of this payment that could be returned here. A paid one is refunded."


class NoSavedCard(DomainError):
    code = "no_saved_card"
    http_status = 409
    text = (
        "The account has no saved card that can be charged. Send the customer the link of the invoice's payment page."
    )


class CardSetupIncomplete(DomainError):
    code = "card_setup_incomplete"
    http_status = 409
    text = "The card is not saved yet. Finish the form of the payment service first, then send the setup again."
