"""Translate PayPal's errors into the gateway protocol's."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from igny8_core.business.billing.gateways.paypal.client import PayPalError
from igny8_core.business.billing.gateways.paypal.mappers import NOT_PAID
from igny8_core.business.billing.gateways.protocol import (
    Declined,
    GatewayError,
    Misconfigured,
    Unavailable,
    UnknownObject,
)
from igny8_core.common.marks import gettext_noop

logger = logging.getLogger(__name__)

BUSY = "PREVIOUS_REQUEST_IN_PROGRESS"
REFUSALS = {
    "DUPLICATE_INVOICE_ID": gettext_noop("PayPal has already taken money for this invoice."),
    "TRANSACTION_REFUSED": NOT_PAID,
    "COMPLIANCE_VIOLATION": NOT_PAID,
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": gettext_noop("PayPal allows no further attempt. Start a new payment."),
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": NOT_PAID,
    "PAYER_ACCOUNT_RESTRICTED": NOT_PAID,
    "PAYER_CANNOT_PAY": NOT_PAID,
    "TRANSACTION_LIMIT_EXCEEDED": NOT_PAID,
    "CAPTURE_FULLY_REFUNDED": gettext_noop("This payment was already refunded in full."),
    "REFUND_AMOUNT_EXCEEDED": gettext_noop("This is more than what is left of the payment at PayPal. Refund less."),
    "REFUND_TIME_LIMIT_EXCEEDED": gettext_noop("PayPal refunds for 180 days. Send the money back in another way."),
    "REFUND_NOT_ALLOWED": gettext_noop(
        "PayPal does not allow a refund of this payment. Send the money back in another way."
    ),
    "REFUND_FAILED_INSUFFICIENT_FUNDS": gettext_noop(
        "The PayPal account does not hold enough for this refund. Add money first."
    ),
    "PARTIAL_REFUND_NOT_ALLOWED": gettext_noop("PayPal does not refund a part of this payment. Refund all of it."),
    "CAPTURE_DISPUTED_PARTIAL_REFUND_NOT_ALLOWED": gettext_noop(
        "PayPal does not refund parts of a disputed payment. Refund it all."
    ),
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": gettext_noop("PayPal allows no further refund of this payment."),
    "PENDING_CAPTURE": gettext_noop("PayPal has not decided on this payment yet. Refund it once it has succeeded."),
}


@contextmanager
def our_errors() -> Iterator[None]:
    """Turn the client's errors into the protocol's."""
    try:
        yield
    except PayPalError as error:
        raise translated(error) from None


def translated(error: PayPalError) -> GatewayError:
    """The protocol's error for an error of PayPal."""
    code, debug_id = error.issue or error.name, error.debug_id
    if error.status == 404:
        return UnknownObject("PayPal does not know this object.", code=code, request_id=debug_id)
    if error.issue in REFUSALS:
        return Declined(REFUSALS[error.issue], code=code, request_id=debug_id)
    # A status below 400 here is a redirect or an answer that cannot be read.
    if error.retryable or error.status < 400 or error.status == 409 or error.issue == BUSY:
        return Unavailable(
            _("PayPal gave no usable answer. Try again in a few minutes."),
            code=code,
            request_id=debug_id,
            may_have_happened=error.may_have_happened,
            retry_after=error.retry_after,
        )
    logger.error("paypal refuses our request", extra={"status": error.status, "code": code, "debug_id": debug_id})
    return Misconfigured(f"PayPal refuses our request ({code}).", code=code, request_id=debug_id)
