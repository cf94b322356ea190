"""Refund a payment: by hand if it came by bank or wallet, otherwise through the gateway that took it."""

from decimal import Decimal

from igny8_core.auth.models import User
from igny8_core.business.billing.models import GATEWAY_METHODS, CreditNote, Payment
from igny8_core.business.billing.services.refunds.booking import refund_by_hand
from igny8_core.business.billing.services.refunds.gateway_refunds import refund_through_gateway
from igny8_core.common.money import read_amount


def process_refund(
    payment: Payment,
    amount: Decimal | float | str | None = None,
    *,
    reason: str = "Refund",
    reference: str = "",
    refunded_by: User | None = None,
    request_key: str = "",
    left: Decimal | None = None,
) -> CreditNote:
    """Refund `amount` of a captured payment (None: all that is left) and take back the unspent credits it bought.

    Money that came by bank or wallet is sent back by hand; `reference` is that transfer's. Card and PayPal money goes
    back through the gateway, outside any transaction. The customer gets the credit note by mail. The subscription that
    the payment paid for continues until it is canceled. `left`: what was left of the payment when somebody decided to
    refund this; None: it does not matter.
    Raises PaymentNotRefundable, RefundedMeanwhile, RefundExceedsPayment, InvalidAmount, OwnAccountPayment,
    RefundUnderWay; for card and PayPal also GatewayNotConfigured, RefundRefused, RefundBeingChecked, RequestKeyReused.
    """
    exact = read_amount(amount, payment.currency)
    if payment.payment_method in GATEWAY_METHODS:
        return refund_through_gateway(payment, exact, reason, refunded_by, request_key, left)
    return refund_by_hand(payment, exact, reason, reference, refunded_by, left)
