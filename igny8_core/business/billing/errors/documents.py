"""Errors about invoices, credit notes, PDFs and uploaded files."""

from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop


class InvoiceNotFound(DomainError):
    code = "invoice_not_found"
    http_status = 404
    text = gettext_noop("Invoice not found")


class InvoiceNotPayable(DomainError):
    code = "invoice_not_payable"
    http_status = 409
    text = gettext_noop(
        "This invoice is not open for payment: it is paid, void or collected elsewhere. Look at its status."
    )


class MoneyOpen(DomainError):
    code = "money_open"
    http_status = 409
    text = gettext_noop(
        "A payment of this account is under way, or an invoice is unpaid. Settle it first, then try again."
    )


class PdfUnavailable(DomainError):
    code = "pdf_unavailable"
    http_status = 503
    text = gettext_noop(
        "PDFs cannot be made on this server: system libraries are missing. Install them with "
        "apt-get install --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 "
        "(Debian, Ubuntu) or brew install pango (macOS), then start the server again."
    )


class FileTooLarge(DomainError):
    code = "file_too_large"
    http_status = 413
    text = gettext_noop("The file is too large. The limit is 5 MB. Make it smaller and send it again.")


class UnsupportedFileType(DomainError):
    code = "unsupported_file_type"
    http_status = 415
    text = gettext_noop(
        "This is no picture or PDF of a kind that is taken, whatever it is called. "
        "Send a PNG, JPEG, HEIC, WebP or AVIF picture, or a PDF, that shows the payment."
    )


class UnreadableFile(DomainError):
    code = "unreadable_file"
    http_status = 400
    text = gettext_noop("The file is broken or cut off. Open it to see whether it is whole, then send it again.")


class FileCheckBusy(DomainError):
    code = "file_check_busy"
    http_status = 503
    text = gettext_noop("Too many files are being checked at the moment. Send yours again in a few seconds.")


class ProofTimeUsedUp(DomainError):
    code = "proof_time_used_up"
    http_status = 429
    text = gettext_noop(
        "Checking your account's files has taken all the time that an account has in an hour. Try again later, with a "
        "smaller file: a screenshot, or a PDF of one page."
    )


class ProofStorageDown(DomainError):
    code = "proof_storage_down"
    http_status = 503
    text = gettext_noop(
        "The file storage cannot be reached at the moment. Nothing was changed. Try again in a few minutes."
    )


class ProofLimitReached(DomainError):
    code = "proof_limit_reached"
    http_status = 409
    text = gettext_noop(
        "Your account has reached its limit of uploads. Use an earlier one. Unused uploads are deleted after 7 days."
    )


class NoSuchProof(DomainError):
    code = "no_such_proof"
    http_status = 400
    text = gettext_noop(
        "Your account has no such file. Upload it with POST /api/v1/billing/payment-proofs/ and send the id you get."
    )


class ProofAlreadyUsed(DomainError):
    code = "proof_already_used"
    http_status = 409
    text = gettext_noop("This file was already used for another payment. Upload the file that shows this payment.")


class ProofLinkExpired(DomainError):
    code = "proof_link_expired"
    http_status = 410
    text = gettext_noop("This link was valid for 5 minutes and has expired. Get a new one where you found this one.")


class PayLinkExpired(DomainError):
    code = "pay_link_expired"
    http_status = 410
    text = gettext_noop(
        "This link has expired. The newest mail about the invoice has a link that works, or ask us for a new one."
    )


class PayLinkWithdrawn(DomainError):
    code = "pay_link_withdrawn"
    http_status = 410
    text = gettext_noop("This link was withdrawn. The newest mail about the invoice has a link that works.")


class CreditNoteNotFound(DomainError):
    code = "credit_note_not_found"
    http_status = 404
    text = gettext_noop("Credit note not found")


class InvoiceNotSendable(DomainError):
    code = "invoice_not_sendable"
    http_status = 409
    text = gettext_noop("This invoice cannot be mailed.")


class InvoiceNotCreditable(DomainError):
    code = "invoice_not_creditable"
    http_status = 409
    text = gettext_noop("Nothing of this invoice can be credited now.")
