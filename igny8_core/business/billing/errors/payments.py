"""Errors about payments, refunds and payment methods."""

from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop


class PaymentNotFound(DomainError):
    code = "payment_not_found"
    http_status = 404
    text = gettext_noop("Payment not found")


class AmountMismatch(DomainError):
    code = "amount_mismatch"
    http_status = 400
    text = gettext_noop("Amount mismatch")


class ConfirmationAlreadyOpen(DomainError):
    code = "confirmation_already_open"
    http_status = 409
    text = gettext_noop(
        "A confirmation for this invoice is already waiting for review. You will be notified when it is decided."
    )


class PaymentMethodNotAvailable(DomainError):
    code = "payment_method_not_available"
    http_status = 400
    text = gettext_noop("This payment method is not offered in your country. Choose another one.")


class PaymentNotPending(DomainError):
    code = "payment_not_pending"
    http_status = 409
    text = gettext_noop("Payment not pending approval")


class PaymentChangedMeanwhile(DomainError):
    code = "payment_changed_meanwhile"
    http_status = 409
    text = gettext_noop(
        "This payment has changed since you opened it, so nothing was decided. Read what has changed, then decide."
    )


class DuplicateReference(DomainError):
    code = "duplicate_reference"
    http_status = 409
    text = gettext_noop(
        "Another payment has the same reference or proof. Compare both with the bank statement. To approve this one "
        "anyway, set override_duplicate and give the reason in admin_notes."
    )


class RepeatedMeanwhile(DomainError):
    code = "repeated_meanwhile"
    http_status = 409
    text = gettext_noop(
        "Since the page was shown, another payment with the same reference or proof has come, so this one was not "
        "approved. Look at it by itself."
    )


class OwnAccountPayment(DomainError):
    code = "own_account_payment"
    http_status = 403
    text = gettext_noop("This payment is for your own account. Another operator has to decide it.")


class BillingBoundReached(DomainError):
    code = "billing_bound_reached"
    http_status = 409
    text = gettext_noop(
        "This was tried too often today and is blocked until tomorrow. Try again then, or ask us for help."
    )


class PaymentUnderWay(DomainError):
    code = "payment_under_way"
    http_status = 409
    text = gettext_noop(
        "A payment of this subscription's invoice is under way. Wait until it is decided, then try again."
    )


class PaymentMethodConfigured(DomainError):
    code = "payment_method_configured"
    http_status = 409
    text = gettext_noop("This payment method is already configured for this country. Change that entry instead.")


class SavedMethodNotFound(DomainError):
    code = "saved_method_not_found"
    http_status = 404
    text = gettext_noop("Saved payment method not found")


class SavedMethodExists(DomainError):
    code = "saved_method_exists"
    http_status = 409
    text = gettext_noop("The account has already saved this payment method. Make the saved one the default instead.")


class SavedMethodDisabled(DomainError):
    code = "saved_method_disabled"
    http_status = 409
    text = gettext_noop("This saved payment method can no longer be used. Choose another one, or save it again.")


class PaymentNotRefundable(DomainError):
    code = "payment_not_refundable"
    http_status = 409
    text = gettext_noop("A payment can be refunded while it has succeeded and not all of its money was refunded.")


class RefundedMeanwhile(DomainError):
    code = "refunded_meanwhile"
    http_status = 409
    text = gettext_noop("Money of this payment went back meanwhile. Look at its credit notes, then decide again.")


class RefundExceedsPayment(DomainError):
    code = "refund_exceeds_payment"
    http_status = 409
    text = gettext_noop("This amount is more than what is left of the payment. Refund that much or less.")
