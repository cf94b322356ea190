"""Keys of the payment gateways, from the environment. Half a set, or keys in the wrong place, stop the start."""

import re
import sys
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from igny8_core.settings import environment

STRIPE_KEY = re.compile(r"(?:sk|rk)_(test|live)_\w+")
STRIPE_PUBLIC_KEY = re.compile(r"pk_(test|live)_\w+")
STRIPE_API = "https://api.stripe.com"
PAYPAL_APIS = {"sandbox": "https://api-m.sandbox.paypal.com", "live": "https://api-m.paypal.com"}


@dataclass(frozen=True)
class StripeSettings:
    """What the Stripe adapter needs. `webhook_secrets` are all tried, so that one can be exchanged without a gap."""

    secret_key: str = field(repr=False)
    public_key: str
    webhook_secrets: tuple[str, ...] = field(repr=False)
    live: bool
    api_base: str = STRIPE_API

    @property
    def is_fake(self) -> bool:
        """Whether a stand-in on this machine takes Stripe's place."""
        return self.api_base != STRIPE_API


@dataclass(frozen=True)
class PayPalSettings:
    """What the PayPal adapter needs; without a `webhook_id` no message of PayPal is believed."""

    client_id: str
    client_secret: str = field(repr=False)
    webhook_id: str
    live: bool
    api_base: str

    @property
    def is_fake(self) -> bool:
        """Whether a stand-in on this machine takes PayPal's place."""
        return self.api_base not in PAYPAL_APIS.values()


def stripe_settings(*, debug: bool) -> StripeSettings | None:
    """STRIPE_* of the environment, or None where there is no key. Raises ImproperlyConfigured naming the variable."""
    secret_key, public_key = environment.text("STRIPE_SECRET_KEY"), environment.text("STRIPE_PUBLIC_KEY")
    base = _api_base("STRIPE_API_BASE", debug=debug)
    if not secret_key and not public_key:
        return None
    secret, public = STRIPE_KEY.fullmatch(secret_key), STRIPE_PUBLIC_KEY.fullmatch(public_key)
    if not secret or not public or secret[1] != public[1]:
        raise ImproperlyConfigured(
            "STRIPE_SECRET_KEY and STRIPE_PUBLIC_KEY belong together: sk_test_… (or rk_test_…) with pk_test_…, or "
            "sk_live_… with pk_live_…. Copy both from the same mode of the Stripe dashboard, or set neither."
        )
    live = secret[1] == "live"
    _refuse_live("STRIPE_SECRET_KEY", live=live, debug=debug)
    secrets = tuple(environment.words("STRIPE_WEBHOOK_SECRET"))
    if not all(secret.startswith("whsec_") for secret in secrets):
        raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRET is one signing secret (whsec_…), or two separated by commas.")
    return StripeSettings(secret_key, public_key, secrets, live, base or STRIPE_API)


def paypal_settings(*, debug: bool) -> PayPalSettings | None:
    """PAYPAL_* of the environment, or None where there are no keys. Raises ImproperlyConfigured naming the variable."""
    client_id, client_secret = environment.text("PAYPAL_CLIENT_ID"), environment.text("PAYPAL_CLIENT_SECRET")
    mode = environment.text("PAYPAL_MODE", "sandbox")
    base = _api_base("PAYPAL_API_BASE", debug=debug)
    if mode not in PAYPAL_APIS:
        raise ImproperlyConfigured(f"PAYPAL_MODE is {mode!r}. Set it to sandbox or live.")
    if bool(client_id) != bool(client_secret):
        raise ImproperlyConfigured("Only one of PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET is set. Set both or none.")
    if not client_id:
        return None
    _refuse_live("PAYPAL_MODE", live=mode == "live", debug=debug)
    webhook_id = environment.text("PAYPAL_WEBHOOK_ID")
    return PayPalSettings(client_id, client_secret, webhook_id, mode == "live", base or PAYPAL_APIS[mode])


def _api_base(name: str, *, debug: bool) -> str:
    """The address of a stand-in on this machine, without a slash at its end; empty where there is none."""
    base = environment.text(name).rstrip("/")
    if not base:
        return ""
    if not debug:
        raise ImproperlyConfigured(f"{name} is for tests and demos only: it would send payments elsewhere. Remove it.")
    if urlsplit(base).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ImproperlyConfigured(f"{name} is {base!r}. It can only name this machine: http://127.0.0.1:port")
    return base


def _refuse_live(name: str, *, live: bool, debug: bool) -> None:
    if live and (debug or _is_test_run()):
        raise ImproperlyConfigured(
            f"{name} is for real money, and this is a development or test run. Use the gateway's test keys here."
        )


def _is_test_run() -> bool:
    return "pytest" in sys.modules
