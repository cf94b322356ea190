"""The QR code with which a banking app fills in a SEPA transfer: EPC069-12, version 002, in UTF-8.

What does not fit its fields gets no code: a code with half of the text would pay, and nobody would know for what.
"""

from decimal import Decimal

from igny8_core.business.billing.models import Invoice, Payee
from igny8_core.common.bank_codes import why_not_bic, why_not_iban
from igny8_core.common.qr_code import path_of
from igny8_core.common.text import first_refused

CURRENCY = "EUR"
LEAST, MOST = Decimal("0.01"), Decimal("999999999.99")
MAX_NAME, MAX_REMITTANCE, MAX_BYTES = 70, 140, 331
UTF_8 = 1


def epc_path(payee: Payee, invoice: Invoice) -> tuple[str, int] | None:
    """The code's dark modules as the path of an SVG, and how many modules its side has; None where none fits."""
    if why_no_code(payee, invoice):
        return None
    # Not at the top: most pages have no code.
    from segno.helpers import make_epc_qr

    code = make_epc_qr(
        name=payee.account_title,
        iban=payee.iban,
        amount=invoice.total,
        text=invoice.invoice_number,
        bic=payee.swift_code or None,
        encoding=UTF_8,
    )
    return path_of(code)


def why_no_code(payee: Payee, invoice: Invoice) -> str | None:
    """Why a transfer to `payee` that pays the invoice cannot be such a code; None where it can."""
    name, remittance = payee.account_title, invoice.invoice_number
    if invoice.currency != CURRENCY:
        return f"SEPA moves {CURRENCY} only."
    if not LEAST <= invoice.total <= MOST:
        return f"A transfer of {LEAST} to {MOST} {CURRENCY} is expected."
    if not payee.iban or why_not_iban(payee.iban):
        return "The payee needs a valid IBAN."
    if payee.swift_code and why_not_bic(payee.swift_code):
        return "The payee's SWIFT code is none."
    if not name.strip() or len(name) > MAX_NAME or first_refused(name):
        return f"The account holder's name is expected in one line of up to {MAX_NAME} characters."
    if not remittance or len(remittance) > MAX_REMITTANCE or first_refused(remittance):
        return f"The payment reference is expected in one line of up to {MAX_REMITTANCE} characters."
    sizes = (len(text.encode()) for text in (name, remittance, payee.iban, payee.swift_code))
    # The other fields take 40 bytes at most: the service tag, version, amount and so on, each with its line end.
    if sum(sizes) > MAX_BYTES - 40:
        return f"All fields together are expected to take up to {MAX_BYTES} bytes."
    return None
