"""The payment gateways. All that is special to one is in its folder, and only these folders import the SDKs.

A folder has, in its `__init__`: TRAITS (what it is like), HANDLERS (what its messages are news of), `takes` (which
amounts) and `make` (the gateway, once it has keys). docs/developers.md says what a third one adds.
"""

from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings

from igny8_core.business.billing.errors import GatewayNotConfigured
from igny8_core.business.billing.gateways.protocol import CardGateway, Gateway, Handler, Keys, Traits

if TYPE_CHECKING:
    from igny8_core.business.billing.gateways.stripe.charges import StripeGateway

RETRY_SECONDS = 3600
# Each is a payment method, the name of a folder here, and in capitals the setting that holds its keys.
GATEWAYS = (
    "stripe",
    "paypal",
)


def traits_of(payment_method: str) -> Traits:
    """What the gateway that collects by this method is like."""
    traits: Traits = _folder(payment_method).TRAITS
    return traits


def handler_of(payment_method: str, message_type: str) -> Handler | None:
    """What reads the news out of a message of this type; None for one that is nothing to us."""
    handler: Handler | None = _folder(payment_method).HANDLERS.get(message_type)
    return handler


def takes(payment_method: str, amount: Decimal, currency: str) -> bool:
    """Whether an amount in a currency (ISO 4217) can be paid so: gateways have minimums, banks and wallets none.

    It is known without SDKs and keys.
    """
    return payment_method not in GATEWAYS or bool(_folder(payment_method).takes(amount, currency))


def keys_of(payment_method: str) -> Keys | None:
    """The keys of a gateway; None where it has none."""
    keys: Keys | None = getattr(settings, payment_method.upper())
    return keys


def gateway_of(payment_method: str) -> Gateway:
    """The gateway that collects by this method. Raises GatewayNotConfigured without its keys."""
    keys = keys_of(payment_method)
    if keys is None:
        raise GatewayNotConfigured(retry_after=RETRY_SECONDS)
    # Made at its first use, so after a worker has forked. The SDK is imported then, too: who takes no cards does not
    # wait for it.
    gateway: Gateway = _folder(payment_method).make(keys)
    return gateway


def card_method() -> str:
    """The payment method whose gateway saves cards: there is one."""
    return next(payment_method for payment_method in GATEWAYS if traits_of(payment_method).saves_cards)


def card_gateway() -> CardGateway:
    """The gateway that saves cards. Raises GatewayNotConfigured without its keys."""
    return cast(CardGateway, gateway_of(card_method()))


def card_form_key() -> str:
    """The key with which a browser opens the form for cards; empty without keys."""
    keys = keys_of(card_method())
    return keys.public_key if keys else ""


def configured_stripe() -> "StripeGateway":
    """Stripe, with the subscriptions that it alone bills. Raises GatewayNotConfigured without its keys."""
    return cast("StripeGateway", gateway_of("stripe"))


def _folder(payment_method: str) -> Any:
    return import_module(f"{__name__}.{payment_method}")
