"""PayPal: orders that the customer approves at PayPal and that we capture."""

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from igny8_core.business.billing.gateways.paypal.handlers import HANDLERS
from igny8_core.business.billing.gateways.paypal.money import takes
from igny8_core.business.billing.gateways.paypal.settings import PayPalSettings
from igny8_core.business.billing.gateways.protocol import Traits

if TYPE_CHECKING:
    from igny8_core.business.billing.gateways.paypal.charges import PayPalGateway

__all__ = ["HANDLERS", "TRAITS", "make", "takes"]

TRAITS = Traits(
    # PayPal keeps the key of an order for 6 hours, that of a refund for 45 days.
    repeatable_for=timedelta(hours=5),
    refund_repeatable_for=timedelta(hours=23),
    # A declined capture ends an order; we cannot end one. PayPal forgets orders that are not captured for some hours.
    declined_attempt_is_final=True,
    can_end_attempts=False,
    forgets_open_attempts=True,
    stays_open_after_failure=False,
    saves_cards=False,
    approves_elsewhere=True,
    refunds_lost_disputes=True,
    bills_subscriptions=False,
    messages_say_mode=False,
    message_is="that PayPal has signed for our webhook",
)


@lru_cache
def make(keys: PayPalSettings) -> "PayPalGateway":
    """The gateway with its keys."""
    from igny8_core.business.billing.gateways.paypal.charges import PayPalGateway

    return PayPalGateway(keys)
