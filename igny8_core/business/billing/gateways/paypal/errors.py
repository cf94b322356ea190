"""What goes wrong between us and PayPal, in the words of the protocol."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from igny8_core.business.billing.gateways.paypal.client import PayPalError
from igny8_core.business.billing.gateways.paypal.mappers import NOT_PAID
from igny8_core.business.billing.gateways.protocol import (
    Declined,
    GatewayError,
    Misconfigured,
    Unavailable,
    UnknownObject,
)

logger = logging.getLogger(__name__)

BUSY = "PREVIOUS_REQUEST_IN_PROGRESS"
REFUSALS = {
    "DUPLICATE_INVOICE_ID": "PayPal has taken money for this invoice before.",
    "TRANSACTION_REFUSED": NOT_PAID,
    "COMPLIANCE_VIOLATION": NOT_PAID,
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": "PayPal allows no further attempt. Pay again, or in another way.",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": NOT_PAID,
    "PAYER_ACCOUNT_RESTRICTED": NOT_PAID,
    "PAYER_CANNOT_PAY": NOT_PAID,
    "TRANSACTION_LIMIT_EXCEEDED": NOT_PAID,
    "CAPTURE_FULLY_REFUNDED": "All of this payment went back already.",
    "REFUND_AMOUNT_EXCEEDED": "This is more than what is left of the payment at PayPal.",
    "REFUND_TIME_LIMIT_EXCEEDED": "PayPal gives money back for 180 days only. Send it in another way.",
    "REFUND_NOT_ALLOWED": "PayPal does not give this payment back.",
    "REFUND_FAILED_INSUFFICIENT_FUNDS": "The PayPal account does not hold enough for this refund.",
    "PARTIAL_REFUND_NOT_ALLOWED": "PayPal gives this payment back only as a whole.",
    "CAPTURE_DISPUTED_PARTIAL_REFUND_NOT_ALLOWED": "The payment is disputed: PayPal gives it back only as a whole.",
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": "PayPal allows no further refund of this payment.",
    "PENDING_CAPTURE": "PayPal still decides on this payment. Refund it once it was taken.",
}


@contextmanager
def our_errors() -> Iterator[None]:
    """Turn what the client raises into the protocol's errors."""
    try:
        yield
    except PayPalError as error:
        raise translated(error) from None


def translated(error: PayPalError) -> GatewayError:
    """The protocol's error for one of PayPal's."""
    code, debug_id = error.issue or error.name, error.debug_id
    if error.status == 404:
        return UnknownObject("PayPal does not know this object.", code=code, request_id=debug_id)
    if error.issue in REFUSALS:
        return Declined(REFUSALS[error.issue], code=code, request_id=debug_id)
    # An answer below 400 is a redirect, or one that cannot be read.
    if error.retryable or error.status < 400 or error.status == 409 or error.issue == BUSY:
        return Unavailable(
            "PayPal does not answer as it should. Try again in a few minutes.",
            code=code,
            request_id=debug_id,
            may_have_happened=error.may_have_happened,
            retry_after=error.retry_after,
        )
    logger.error("paypal refuses our request", extra={"status": error.status, "code": code, "debug_id": debug_id})
    return Misconfigured(f"PayPal refuses our request ({code}).", code=code, request_id=debug_id)
