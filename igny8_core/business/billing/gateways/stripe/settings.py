"""Stripe's keys, from the environment."""

import re
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured

from igny8_core.settings import environment
from igny8_core.settings.gateways import api_base, refuse_live

STRIPE_KEY = re.compile(r"(?:sk|rk)_(test|live)_\w+")
STRIPE_PUBLIC_KEY = re.compile(r"pk_(test|live)_\w+")
STRIPE_API = "https://api.stripe.com"


@dataclass(frozen=True)
class StripeSettings:
    """Stripe's settings. Every one of `webhook_secrets` is tried, so that a secret can be replaced without a gap."""

    secret_key: str = field(repr=False)
    public_key: str
    webhook_secrets: tuple[str, ...] = field(repr=False)
    live: bool
    api_base: str = STRIPE_API

    @property
    def is_fake(self) -> bool:
        """Whether a stand-in on this machine takes Stripe's place."""
        return self.api_base != STRIPE_API

    @property
    def can_check_messages(self) -> bool:
        """See Keys. Without a secret, a forged message could not be recognized (WHK-02)."""
        return bool(self.webhook_secrets)

    @property
    def form_targets(self) -> list[str]:
        """See Keys. Cards are entered on our own page; a stand-in has its own page."""
        return [self.api_base] if self.is_fake else []


def read(*, debug: bool) -> StripeSettings | None:
    """The STRIPE_* variables, or None if no key is set. Raises ImproperlyConfigured naming the wrong variable."""
    secret_key, public_key = environment.text("STRIPE_SECRET_KEY"), environment.text("STRIPE_PUBLIC_KEY")
    base = api_base("STRIPE_API_BASE", debug=debug)
    if not secret_key and not public_key:
        return None
    secret, public = STRIPE_KEY.fullmatch(secret_key), STRIPE_PUBLIC_KEY.fullmatch(public_key)
    if not secret or not public or secret[1] != public[1]:
        raise ImproperlyConfigured(
            "STRIPE_SECRET_KEY and STRIPE_PUBLIC_KEY belong together: sk_test_… (or rk_test_…) with pk_test_…, or "
            "sk_live_… with pk_live_…. Copy both from the same mode of the Stripe dashboard, or set neither."
        )
    live = secret[1] == "live"
    refuse_live("STRIPE_SECRET_KEY", live=live, debug=debug)
    secrets = tuple(environment.words("STRIPE_WEBHOOK_SECRET"))
    if not all(secret.startswith("whsec_") for secret in secrets):
        raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRET is one signing secret (whsec_…), or two separated by commas.")
    return StripeSettings(secret_key, public_key, secrets, live, base or STRIPE_API)
