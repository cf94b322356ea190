"""PayPal's keys, from the environment."""

from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured

from igny8_core.settings import environment
from igny8_core.settings.gateways import api_base, refuse_live

PAYPAL_APIS = {"sandbox": "https://api-m.sandbox.paypal.com", "live": "https://api-m.paypal.com"}
PAGES = {True: "https://www.paypal.com", False: "https://www.sandbox.paypal.com"}


@dataclass(frozen=True)
class PayPalSettings:
    """PayPal's settings. Without a `webhook_id`, all of PayPal's webhook messages are refused."""

    client_id: str
    client_secret: str = field(repr=False)
    webhook_id: str
    live: bool
    api_base: str

    @property
    def is_fake(self) -> bool:
        """Whether a stand-in on this machine takes PayPal's place."""
        return self.api_base not in PAYPAL_APIS.values()

    @property
    def public_key(self) -> str:
        """See Keys."""
        return ""

    @property
    def can_check_messages(self) -> bool:
        """See Keys. Without the webhook's id, a forged message could not be recognized (WHK-02)."""
        return bool(self.webhook_id)

    @property
    def form_targets(self) -> list[str]:
        """See Keys."""
        return [self.api_base if self.is_fake else PAGES[self.live]]


def read(*, debug: bool) -> PayPalSettings | None:
    """The PAYPAL_* variables, or None if no keys are set. Raises ImproperlyConfigured naming the wrong variable."""
    client_id, client_secret = environment.text("PAYPAL_CLIENT_ID"), environment.text("PAYPAL_CLIENT_SECRET")
    mode = environment.text("PAYPAL_MODE", "sandbox")
    base = api_base("PAYPAL_API_BASE", debug=debug)
    if mode not in PAYPAL_APIS:
        raise ImproperlyConfigured(f"PAYPAL_MODE is {mode!r}. Set it to sandbox or live.")
    if bool(client_id) != bool(client_secret):
        raise ImproperlyConfigured("One of PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET is missing. Set both or neither.")
    if not client_id:
        return None
    refuse_live("PAYPAL_MODE", live=mode == "live", debug=debug)
    webhook_id = environment.text("PAYPAL_WEBHOOK_ID")
    return PayPalSettings(client_id, client_secret, webhook_id, mode == "live", base or PAYPAL_APIS[mode])
