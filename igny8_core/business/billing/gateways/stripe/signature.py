"""Is a message from Stripe? Checked with the secrets of our webhook, without asking its API."""

from collections.abc import Mapping, Sequence

import stripe

from igny8_core.business.billing.gateways.protocol import BadSignature

TOLERANCE_SECONDS = 300


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> None:
    """Check the Stripe-Signature header against each secret; a message older than five minutes is refused.

    Times in the future pass, as with Stripe: only who has the secret can write one. Raises BadSignature.
    """
    signature = next((value for name, value in headers.items() if name.lower() == "stripe-signature"), "")
    # The SDK compares text, which raises TypeError for anything but ASCII.
    if signature.isascii() and any(_is_signed(body, signature, secret) for secret in secrets):
        return
    raise BadSignature("The message carries no valid signature of Stripe.")


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True
