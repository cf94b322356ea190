"""Stripe: card payments for our own invoices, and subscriptions that Stripe bills by itself (`mirrored`, `billing`)."""

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from igny8_core.business.billing.gateways.protocol import Traits
from igny8_core.business.billing.gateways.stripe.declines import PASSING
from igny8_core.business.billing.gateways.stripe.handlers import HANDLERS
from igny8_core.business.billing.gateways.stripe.money import takes
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings

if TYPE_CHECKING:
    from igny8_core.business.billing.gateways.stripe.charges import StripeGateway

__all__ = ["HANDLERS", "TRAITS", "make", "takes"]

TRAITS = Traits(
    # Stripe keeps a key for at least 24 hours.
    repeatable_for=timedelta(hours=23),
    refund_repeatable_for=timedelta(hours=23),
    # A declined PaymentIntent accepts another card until it is canceled.
    declined_attempt_is_final=False,
    can_end_attempts=True,
    forgets_open_attempts=False,
    stays_open_after_failure=True,
    saves_cards=True,
    approves_elsewhere=False,
    refunds_lost_disputes=False,
    bills_subscriptions=True,
    messages_say_mode=True,
    message_is="that is signed with our webhook secret",
    passing_declines=PASSING,
)


@lru_cache
def make(keys: StripeSettings) -> "StripeGateway":
    """The gateway with its keys."""
    from igny8_core.business.billing.gateways.stripe.charges import StripeGateway

    return StripeGateway(keys)
