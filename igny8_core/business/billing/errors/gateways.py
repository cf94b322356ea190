"""What can be refused of card and PayPal, and of what their gateways send."""

from igny8_core.common.errors import DomainError


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
