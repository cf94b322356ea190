"""What operations around a payment share: a sentence on what comes next, what gateways refuse with, and a limit."""

from igny8_core.business.billing.errors import (
    AuthenticationRequired,
    GatewayMisconfigured,
    GatewayNotConfigured,
    GatewayUnavailable,
    PaymentDeclined,
)
from igny8_core.business.billing.services.collection.attempts import NextStep
from igny8_core.common.api.throttling import UserThrottle

SEND_AND_CONFIRM = "Send the money, quote the reference, then confirm the payment."
PAY_MESSAGES = {
    NextStep.NONE: "The invoice is paid.",
    NextStep.ENTER_CARD: "Enter the card in the form of the payment service.",
    NextStep.AUTHENTICATE: "The bank wants the cardholder to confirm this payment.",
    NextStep.APPROVE: "Approve the payment at PayPal.",
    NextStep.WAIT: "The payment is being checked. You will be told how it ended; please do not pay again meanwhile.",
}
CARD_REFUSALS = (GatewayNotConfigured, GatewayUnavailable, GatewayMisconfigured)
GATEWAY_REFUSALS = (*CARD_REFUSALS, PaymentDeclined, AuthenticationRequired)


class PayThrottle(UserThrottle):
    """Against trying cards one after the other: paying with one and saving one count together."""

    scope = "pay"
