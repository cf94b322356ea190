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


class GatewayUnavailable(DomainError):
    code = "gateway_unavailable"
    http_status = 503
    text = "The payment service cannot be reached at the moment. Nothing was charged; try again in a minute."


class GatewayMisconfigured(DomainError):
    code = "gateway_misconfigured"
    http_status = 503
    text = (
        "The payment service refused our request, which is our fault. Nothing was charged and we were told. Choose "
        "another payment method, or try again later."
    )


class PaymentDeclined(DomainError):
    code = "payment_declined"
    http_status = 402
    text = "The payment was declined. Nothing was charged; use another card or another payment method."


class AuthenticationRequired(DomainError):
    code = "authentication_required"
    http_status = 402
    text = (
        "The bank wants the cardholder to confirm this payment. Nothing was charged; pay the invoice once more while "
        "the cardholder is present."
    )


class PaymentBeingChecked(DomainError):
    code = "payment_being_checked"
    http_status = 409
    text = (
        "A payment of this invoice is being checked with the payment service. You will be told how it ended; please do "
        "not pay again meanwhile."
    )


class PaymentNotAtGateway(DomainError):
    code = "payment_not_at_gateway"
    http_status = 409
    text = "This payment was not made by card or PayPal: an operator checks it, and you will be told the outcome."


class RequestKeyReused(DomainError):
    code = "request_key_reused"
    http_status = 422
    text = "This Idempotency-Key began another payment or refund before. Take a new key for a new one."


class RefundUnderWay(DomainError):
    code = "refund_under_way"
    http_status = 409
    text = "A refund of this payment is under way. Wait until the payment service has answered."


class RefundBeingChecked(DomainError):
    code = "refund_being_checked"
    http_status = 503
    text = (
        "The payment service has not said whether the money went back. It is asked again by itself; the payment's page "
        "shows the outcome. Please do not refund again."
    )


class RefundRefused(DomainError):
    code = "refund_refused"
    http_status = 409
    text = "The payment service refused the refund. Nothing went back."


class NothingToReturn(DomainError):
    code = "nothing_to_return"
    http_status = 409
    text = "The payment service holds no money of this payment that could be returned here. A paid one is refunded."


class CardSetupIncomplete(DomainError):
    code = "card_setup_incomplete"
    http_status = 409
    text = "The card is not saved yet. Finish the form of the payment service first, then send the setup again."


class SubscriptionBilledByStripe(DomainError):
    code = "subscription_billed_by_stripe"
    http_status = 409
    text = "This subscription was made at Stripe and is billed there. Change or cancel it where it was made."


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


class NoSubscription(DomainError):
    code = "no_subscription"
    http_status = 409
    text = "The account has no subscription. Order a plan first."


class SubscriptionNotActive(DomainError):
    code = "subscription_not_active"
    http_status = 409
    text = "Only a subscription that is paid and running can change. Pay its open invoice, or cancel it and order anew."


class SubscriptionEnding(DomainError):
    code = "subscription_ending"
    http_status = 409
    text = "The subscription is set to end with its period. Reactivate it first."


class NothingToReactivate(DomainError):
    code = "nothing_to_reactivate"
    http_status = 409
    text = "The subscription runs on: no cancellation or change of plan is scheduled."


class SamePlan(DomainError):
    code = "same_plan"
    http_status = 409
    text = "This is the plan that the account has."


class NotAnUpgrade(DomainError):
    code = "not_an_upgrade"
    http_status = 409
    text = "This plan is not above the present one. Use downgrade: it takes effect at the end of the period."


class NotADowngrade(DomainError):
    code = "not_a_downgrade"
    http_status = 409
    text = "This plan is not below the present one. Use upgrade: it takes effect when its invoice is paid."


class PaymentUnderWay(DomainError):
    code = "payment_under_way"
    http_status = 409
    text = "A payment of an open invoice of this subscription is under way. Wait until it is decided."


class MoneyOpen(DomainError):
    code = "money_open"
    http_status = 409
    text = "Money is open: a payment under way or an invoice that is owed. Settle that first."


class OverLimits(DomainError):
    code = "over_limits"
    http_status = 409
    text = "The account uses more than this plan allows."


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


class PaymentMethodConfigured(DomainError):
    code = "payment_method_configured"
    http_status = 409
    text = "This payment method is configured for this country already. Change that one instead."


class CreditCostExists(DomainError):
    code = "credit_cost_exists"
    http_status = 409
    text = "This operation has its costs already. Change those instead."


class FileTooLarge(DomainError):
    code = "file_too_large"
    http_status = 413
    text = "The file is too large. The limit is 5 MB. Make it smaller and send it again."


class UnsupportedFileType(DomainError):
    code = "unsupported_file_type"
    http_status = 415
    text = "This is no PNG, JPEG or PDF, whatever it is called. Send a picture or a PDF that shows the payment."


class UnreadableFile(DomainError):
    code = "unreadable_file"
    http_status = 400
    text = "The file is broken or cut off. Open it to see whether it is whole, then send it again."


class FileCheckBusy(DomainError):
    code = "file_check_busy"
    http_status = 503
    text = "Many files are being checked at the moment. Send yours again in a few seconds."


class ProofStorageDown(DomainError):
    code = "proof_storage_down"
    http_status = 503
    text = "Files cannot be stored or fetched at the moment. Nothing was changed; try again in a few minutes."


class ProofLimitReached(DomainError):
    code = "proof_limit_reached"
    http_status = 409
    text = "Your account has uploaded as much as it may. Use an earlier upload; unused ones are deleted after 7 days."


class NoSuchProof(DomainError):
    code = "no_such_proof"
    http_status = 400
    text = "There is no such file of your account. Upload it first: POST /api/v1/billing/payment-proofs/ tells its id."


class ProofAlreadyUsed(DomainError):
    code = "proof_already_used"
    http_status = 409
    text = "This file belongs to another payment already. Upload the file of this payment."


class ProofLinkExpired(DomainError):
    code = "proof_link_expired"
    http_status = 410
    text = "This link has run out after 5 minutes. Ask for a new one where you got it."


class PayLinkExpired(DomainError):
    code = "pay_link_expired"
    http_status = 410
    text = "This link has run out. Log in to pay the invoice, or ask us for a new link."


class CreditNoteNotFound(DomainError):
    code = "credit_note_not_found"
    http_status = 404
    text = "Credit note not found"


class PackageNotOffered(DomainError):
    code = "package_not_offered"
    http_status = 400
    text = "This credit package is not offered. GET /api/v1/billing/credits/packages/ lists them."


class OperationNotOffered(DomainError):
    code = "operation_not_offered"
    http_status = 400
    text = "This operation is unknown or not in use."


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


class SpendKeyReused(DomainError):
    code = "spend_key_reused"
    http_status = 422
    text = "This Idempotency-Key paid for another operation before. Take a new key for a new operation."
