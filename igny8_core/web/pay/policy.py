"""What browsers may do on the customers' pages: the site's Content-Security-Policy, widened for gateways."""

from csp.constants import SELF

from igny8_core.business.billing.gateways import GATEWAYS, keys_of

STRIPE_JS = "https://js.stripe.com/v3/"
# What Stripe asks of pages with its card form.
CARD_FORM_POLICY = {
    "script-src": [SELF, "https://js.stripe.com", "https://*.js.stripe.com"],
    "frame-src": ["https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"],
    "connect-src": [SELF, "https://api.stripe.com"],
}


def page_policy() -> dict[str, list[str]]:
    """Forms may lead on to gateways' pages: browsers count where a form's answer redirects to, too."""
    configured = [keys for keys in map(keys_of, sorted(GATEWAYS)) if keys]
    return {"form-action": [SELF, *(target for keys in configured for target in keys.form_targets)]}
