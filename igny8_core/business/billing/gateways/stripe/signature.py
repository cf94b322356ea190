"""Check that a webhook message is from Stripe, with our webhook's secrets and without asking Stripe's API."""

from collections.abc import Mapping, Sequence

import stripe
from django.utils.translation import gettext as _

from igny8_core.business.billing.gateways.protocol import BadSignature

TOLERANCE_SECONDS = 300


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> None:
    """Check the Stripe-Signature header against each secret. A message older than five minutes is refused.

    A time in the future passes, as with Stripe's SDK, because writing one needs the secret. Raises BadSignature.
    """
    signature = next((value for name, value in headers.items() if name.lower() == "stripe-signature"), "")
    # The SDK raises TypeError if the header is not ASCII.
    if signature.isascii() and any(_is_signed(body, signature, secret) for secret in secrets):
        return
    raise BadSignature(_("The message has no valid signature of Stripe."))


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True
