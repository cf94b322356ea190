"""Shared by the operations that pay: messages about the next step, errors of gateways, and a rate limit."""

from igny8_core.business.billing.errors import (
    AuthenticationRequired,
    GatewayMisconfigured,
    GatewayNotConfigured,
    GatewayUnavailable,
    PaymentDeclined,
)
from igny8_core.business.billing.services.collection.attempts import NextStep
from igny8_core.common.api.throttling import UserThrottle

SEND_AND_CONFIRM = "Send the money with the reference, then confirm the payment."
PAY_MESSAGES = {
    NextStep.NONE: "The invoice is paid.",
    NextStep.ENTER_CARD: "Enter the card in Stripe's form.",
    NextStep.AUTHENTICATE: "The bank asks the cardholder to confirm this payment.",
    NextStep.APPROVE: "Approve the payment at PayPal.",
    NextStep.WAIT: "The payment is being checked. We will tell you the result. Please do not pay again meanwhile.",
}
CARD_REFUSALS = (GatewayNotConfigured, GatewayUnavailable, GatewayMisconfigured)
GATEWAY_REFUSALS = (*CARD_REFUSALS, PaymentDeclined, AuthenticationRequired)


class PayThrottle(UserThrottle):
    """Limits how often a user tries cards; paying with a card and saving one count together."""

    scope = "pay"
