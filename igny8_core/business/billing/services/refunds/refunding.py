"""Giving money back: by hand where it came by hand, else through the gateway that took it."""

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
) -> CreditNote:
    """Give back `amount` of a captured payment (None: all that is left); what is unspent of its credits goes too.

    Money that came by bank or wallet goes back by hand: `reference` is that transfer's. Card and PayPal money goes
    back through the gateway, outside any transaction. The customer gets the credit note by mail. A subscription
    that was paid so goes on until it is canceled.
    Raises PaymentNotRefundable, RefundExceedsPayment, InvalidAmount, OwnAccountPayment, RefundUnderWay; for
    gateways GatewayNotConfigured, RefundRefused, RefundBeingChecked.
    """
    exact = read_amount(amount, payment.currency)
    if payment.payment_method in GATEWAY_METHODS:
        return refund_through_gateway(payment, exact, reason, refunded_by, request_key)
    return refund_by_hand(payment, exact, reason, reference, refunded_by)
