"""What can be refused of payments, refunds and ways of paying."""

from igny8_core.common.errors import DomainError


class PaymentNotFound(DomainError):
    code = "payment_not_found"
    http_status = 404
    text = "Payment not found"


class AmountMismatch(DomainError):
    code = "amount_mismatch"
    http_status = 400
    text = "Amount mismatch"


class ConfirmationAlreadyOpen(DomainError):
    code = "confirmation_already_open"
    http_status = 409
    text = "A confirmation for this invoice is waiting for review already. You will be notified when it is decided."


class PaymentMethodNotAvailable(DomainError):
    code = "payment_method_not_available"
    http_status = 400
    text = "This payment method is not offered in your country."


class PaymentNotPending(DomainError):
    code = "payment_not_pending"
    http_status = 409
    text = "Payment not pending approval"


class DuplicateReference(DomainError):
    code = "duplicate_reference"
    http_status = 409
    text = (
        "Another payment carries the same reference. Compare both with the bank statement. To approve this one all the "
        "same, say so (override_duplicate) and say why in the note (admin_notes)."
    )


class OwnAccountPayment(DomainError):
    code = "own_account_payment"
    http_status = 403
    text = "You belong to the account that this payment is for. Another operator has to decide it."


class BillingBoundReached(DomainError):
    code = "billing_bound_reached"
    http_status = 409
    text = "This was tried too often today, so that it was stopped. Try again tomorrow, or ask us to look at it."


class PaymentUnderWay(DomainError):
    code = "payment_under_way"
    http_status = 409
    text = "A payment of an open invoice of this subscription is under way. Wait until it is decided."


class PaymentMethodConfigured(DomainError):
    code = "payment_method_configured"
    http_status = 409
    text = "This payment method is configured for this country already. Change that one instead."


class SavedMethodNotFound(DomainError):
    code = "saved_method_not_found"
    http_status = 404
    text = "Saved payment method not found"


class SavedMethodExists(DomainError):
    code = "saved_method_exists"
    http_status = 409
    text = "The account has saved this payment method already. Make that one the default instead."


class SavedMethodDisabled(DomainError):
    code = "saved_method_disabled"
    http_status = 409
    text = "This saved payment method cannot be used any more. Choose another one, or save it anew."


class PaymentNotRefundable(DomainError):
    code = "payment_not_refundable"
    http_status = 409
    text = "Only a payment whose money came in, and has not gone back already, can be refunded."


class RefundExceedsPayment(DomainError):
    code = "refund_exceeds_payment"
    http_status = 409
    text = "This is more than is left of the payment."
