"""The payment gateways. Each has a folder with everything special to it; no other code imports its SDK.

A folder's `__init__` has TRAITS (how the gateway behaves), HANDLERS (what its webhook messages are about), `takes`
(which amounts it accepts) and `make` (the gateway with its keys). docs/developers.md says how to add a third one.
"""

from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings

from igny8_core.business.billing.errors import GatewayNotConfigured
from igny8_core.business.billing.gateways.protocol import CardGateway, Gateway, Handler, Keys, Traits
from igny8_core.business.billing.gateways.turnstile import Turnstile

if TYPE_CHECKING:
    from igny8_core.business.billing.gateways.stripe.charges import StripeGateway

RETRY_SECONDS = 3600
# Each name is a payment method, a folder here, and in capitals the setting with its keys.
GATEWAYS = (
    "stripe",
    "paypal",
)


def traits_of(payment_method: str) -> Traits:
    """How the gateway of this payment method behaves."""
    traits: Traits = _folder(payment_method).TRAITS
    return traits


def handler_of(payment_method: str, message_type: str) -> Handler | None:
    """The handler for a webhook message of this type; None for a type that we ignore."""
    handler: Handler | None = _folder(payment_method).HANDLERS.get(message_type)
    return handler


def takes(payment_method: str, amount: Decimal, currency: str) -> bool:
    """Whether this method can pay an amount in a currency (ISO 4217): gateways have limits, banks and wallets none.

    It needs neither SDK nor keys.
    """
    return payment_method not in GATEWAYS or bool(_folder(payment_method).takes(amount, currency))


def keys_of(payment_method: str) -> Keys | None:
    """The keys of a gateway; None if it is not set up."""
    keys: Keys | None = getattr(settings, payment_method.upper())
    return keys


def gateway_of(payment_method: str) -> Gateway:
    """The gateway of this payment method. Raises GatewayNotConfigured if it has no keys."""
    keys = keys_of(payment_method)
    if keys is None:
        raise GatewayNotConfigured(retry_after=RETRY_SECONDS)
    # Made at the first use, so after a worker has forked. The SDK is imported then too, so a site without cards does
    # not wait for it.
    return _behind_turnstile(_folder(payment_method).make(keys))


@lru_cache(maxsize=8)
def _behind_turnstile(gateway: Gateway) -> Gateway:
    # One for each gateway object, which the whole process shares.
    return cast(Gateway, Turnstile(gateway))


def card_method() -> str:
    """The payment method whose gateway saves cards. There is exactly one."""
    return next(payment_method for payment_method in GATEWAYS if traits_of(payment_method).saves_cards)


def card_gateway() -> CardGateway:
    """The gateway that saves cards. Raises GatewayNotConfigured if it has no keys."""
    return cast(CardGateway, gateway_of(card_method()))


def card_form_key() -> str:
    """The public key with which a browser opens the card form; empty if the gateway has no keys."""
    keys = keys_of(card_method())
    return keys.public_key if keys else ""


def configured_stripe() -> "StripeGateway":
    """Stripe with its own methods for subscriptions that it bills. Raises GatewayNotConfigured if it has no keys."""
    return cast("StripeGateway", gateway_of("stripe"))


def _folder(payment_method: str) -> Any:
    return import_module(f"{__name__}.{payment_method}")
