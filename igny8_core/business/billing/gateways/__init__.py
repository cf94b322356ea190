"""The payment gateways that have their keys. Only the modules in this folder import the gateways' SDKs."""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from igny8_core.business.billing.errors import GatewayNotConfigured
from igny8_core.business.billing.gateways.paypal_money import paypal_takes
from igny8_core.business.billing.gateways.protocol import Gateway
from igny8_core.business.billing.gateways.stripe_money import stripe_takes
from igny8_core.settings.gateways import PayPalSettings, StripeSettings

if TYPE_CHECKING:
    from igny8_core.business.billing.gateways.paypal_gateway import PayPalGateway
    from igny8_core.business.billing.gateways.stripe_gateway import StripeGateway

RETRY_SECONDS = 3600
# Whether a gateway takes an amount in a currency; known without its SDK and without its keys.
TAKES: dict[str, Callable[[Decimal, str], bool]] = {"stripe": stripe_takes, "paypal": paypal_takes}


def takes(payment_method: str, amount: Decimal, currency: str) -> bool:
    """Whether an amount in a currency (ISO 4217) can be paid so: gateways have minimums, banks and wallets none."""
    return payment_method not in TAKES or TAKES[payment_method](amount, currency)


def gateway_of(payment_method: str) -> Gateway:
    """The gateway that collects by this method: "stripe" or "paypal". Raises GatewayNotConfigured without its keys."""
    return configured_stripe() if payment_method == "stripe" else configured_paypal()


def configured_stripe() -> "StripeGateway":
    """Stripe. Raises GatewayNotConfigured without its keys."""
    if settings.STRIPE is None:
        raise GatewayNotConfigured(retry_after=RETRY_SECONDS)
    return _stripe(settings.STRIPE)


def configured_paypal() -> "PayPalGateway":
    """PayPal. Raises GatewayNotConfigured without its keys."""
    if settings.PAYPAL is None:
        raise GatewayNotConfigured(retry_after=RETRY_SECONDS)
    return _paypal(settings.PAYPAL)


# One client per process, made at its first use, so after a worker has forked. The SDKs are imported then, too: who
# takes no cards does not wait for them.
@lru_cache
def _stripe(keys: StripeSettings) -> "StripeGateway":
    from igny8_core.business.billing.gateways.stripe_gateway import StripeGateway

    return StripeGateway(keys)


@lru_cache
def _paypal(keys: PayPalSettings) -> "PayPalGateway":
    from igny8_core.business.billing.gateways.paypal_gateway import PayPalGateway

    return PayPalGateway(keys)
