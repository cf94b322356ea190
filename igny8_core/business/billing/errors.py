"""What can be refused in billing; code and status are part of the API and never change."""

from igny8_core.common.errors import DomainError


class InvoiceNotFound(DomainError):
    code = "invoice_not_found"
    http_status = 404
    text = "Invoice not found"


class PaymentNotFound(DomainError):
    code = "payment_not_found"
    http_status = 404
    text = "Payment not found"


class AmountMismatch(DomainError):
    code = "amount_mismatch"
    http_status = 400
    text = "Amount mismatch"


class InvoiceNotPayable(DomainError):
    code = "invoice_not_payable"
    http_status = 409
    text = "This invoice is not open for payment."


class ConfirmationAlreadyOpen(DomainError):
    code = "confirmation_already_open"
    http_status = 409
    text = "A confirmation for this invoice is waiting for review already. You will be notified when it is decided."


class PaymentMethodNotAvailable(DomainError):
    code = "payment_method_not_available"
    http_status = 400
    text = "This payment method is not offered in your country."


class GatewayNotConfigured(DomainError):
    code = "gateway_not_configured"
    http_status = 503
    text = "Card and PayPal payments are not set up here yet. Choose another payment method."


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


class SubscriptionNotPayable(DomainError):
    code = "subscription_not_payable"
    http_status = 409
    text = (
        "The subscription of this invoice was canceled. Reject the payment and return the money, or have the plan "
        "ordered anew."
    )


class SubscriptionAlreadyLive(DomainError):
    code = "subscription_already_live"
    http_status = 409
    text = "The account has a live subscription already. Change its plan instead."


class PlanNotOffered(DomainError):
    code = "plan_not_offered"
    http_status = 400
    text = "This plan is not offered."


class InsufficientCredits(DomainError):
    code = "insufficient_credits"
    http_status = 402
    text = "There are not enough credits for this. Buy credits or a larger plan, then try again."


class PdfUnavailable(DomainError):
    code = "pdf_unavailable"
    http_status = 503
    text = (
        "PDFs cannot be made on this server: system libraries are missing. Install them with "
        "apt-get install --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 "
        "(Debian, Ubuntu) or brew install pango (macOS), then start the server again."
    )
