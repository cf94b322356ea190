"""What browsers may do on the customers' pages: the site's Content-Security-Policy, widened for gateways."""

from csp.constants import SELF
from django.conf import settings

STRIPE_JS = "https://js.stripe.com/v3/"
# What Stripe asks of pages with its card form.
CARD_FORM_POLICY = {
    "script-src": [SELF, "https://js.stripe.com", "https://*.js.stripe.com"],
    "frame-src": ["https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"],
    "connect-src": [SELF, "https://api.stripe.com"],
}
PAYPAL_PAGES = {True: "https://www.paypal.com", False: "https://www.sandbox.paypal.com"}


def page_policy() -> dict[str, list[str]]:
    """Forms may lead on to PayPal, and to stand-ins: browsers count where a form's answer redirects to, too."""
    targets = [SELF]
    if settings.PAYPAL:
        targets.append(settings.PAYPAL.api_base if settings.PAYPAL.is_fake else PAYPAL_PAGES[settings.PAYPAL.live])
    if settings.STRIPE and settings.STRIPE.is_fake:
        targets.append(settings.STRIPE.api_base)
    return {"form-action": targets}
