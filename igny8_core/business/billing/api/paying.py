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
from igny8_core.common.marks import gettext_noop

SEND_AND_CONFIRM = gettext_noop("Send the money with the reference, then confirm the payment.")
PAY_MESSAGES = {
    NextStep.NONE: gettext_noop("The invoice is paid."),
    NextStep.ENTER_CARD: gettext_noop("Enter the card in Stripe's form."),
    NextStep.AUTHENTICATE: gettext_noop("The bank asks the cardholder to confirm this payment."),
    NextStep.APPROVE: gettext_noop("Approve the payment at PayPal."),
    NextStep.WAIT: gettext_noop(
        "The payment is being checked. We will tell you the result. Please do not pay again meanwhile."
    ),
}
CARD_REFUSALS = (GatewayNotConfigured, GatewayUnavailable, GatewayMisconfigured)
GATEWAY_REFUSALS = (*CARD_REFUSALS, PaymentDeclined, AuthenticationRequired)


class PayThrottle(UserThrottle):
    """Limits how often a user tries cards; paying with a card and saving one count together."""

    scope = "pay"
