"""A third gateway that nobody has heard of: what its folder in igny8_core/business/billing/gateways would hold.

test_third_gateway.py puts it there, in a copy of the application, with the lines that docs/developers.md prints.
"""

from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from igny8_core.business.billing.gateways.third.handlers import HANDLERS
from igny8_core.business.billing.gateways.third.settings import ThirdSettings

from igny8_core.business.billing.gateways.protocol import Traits

if TYPE_CHECKING:
    from igny8_core.business.billing.gateways.third.charges import ThirdGateway

__all__ = ["HANDLERS", "TRAITS", "make", "takes"]

TRAITS = Traits(
    repeatable_for=timedelta(hours=1),
    refund_repeatable_for=timedelta(hours=1),
    declined_attempt_is_final=True,
    can_end_attempts=True,
    forgets_open_attempts=False,
    stays_open_after_failure=False,
    saves_cards=False,
    approves_elsewhere=True,
    refunds_lost_disputes=True,
    bills_subscriptions=False,
    messages_say_mode=False,
    message_is="that carries our secret",
)


def takes(amount: Decimal, currency: str) -> bool:
    """Dollars and rupees, up to a thousand."""
    return currency in {"USD", "PKR"} and 0 < amount <= 1000


@lru_cache
def make(keys: ThirdSettings) -> "ThirdGateway":
    """The gateway with its keys."""
    from igny8_core.business.billing.gateways.third.charges import ThirdGateway

    return ThirdGateway(keys)
