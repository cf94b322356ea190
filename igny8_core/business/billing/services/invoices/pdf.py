"""Invoices and credit notes as PDFs. They state what was stored with the document, not what changed since (PDF-07)."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from igny8_core.business.billing.errors import PdfUnavailable
from igny8_core.business.billing.models import CreditNote, Invoice, InvoiceStatus
from igny8_core.business.billing.services.invoices.instructions import PaymentInstructions, payment_instructions
from igny8_core.business.billing.services.invoices.lines import printed_lines
from igny8_core.common.languages import in_language
from igny8_core.common.marks import gettext_noop
from igny8_core.common.money import amount_text, plain_amount_text
from igny8_core.common.text import showable
from igny8_core.common.written import country_text

MARKS = {
    InvoiceStatus.DRAFT: gettext_noop("DRAFT"),
    InvoiceStatus.PENDING: gettext_noop("DUE"),
    InvoiceStatus.PAID: gettext_noop("PAID"),
    InvoiceStatus.VOID: gettext_noop("VOID"),
    InvoiceStatus.UNCOLLECTIBLE: gettext_noop("UNPAID"),
}
RETRY_SECONDS = 3600


def render_invoice(invoice: Invoice) -> bytes:
    """Draw the invoice on A4. Raises PdfUnavailable if the renderer's system libraries are missing."""
    with in_language(language_of(invoice)):
        return _drawn("pdf/invoice.html", lambda: _context(invoice, payment_instructions(invoice)))


def render_sample(invoice: Invoice, instructions: PaymentInstructions) -> bytes:
    """Draw an invoice that is not saved, with these instructions. Raises PdfUnavailable like render_invoice."""
    return _drawn("pdf/invoice.html", lambda: _context(invoice, instructions))


def render_credit_note(credit_note: CreditNote) -> bytes:
    """Draw the credit note on A4, addressed like its invoice. Raises PdfUnavailable like render_invoice."""
    with in_language(language_of(credit_note.invoice)):
        return _drawn("pdf/credit_note.html", lambda: _credit_note_context(credit_note))


def language_of(invoice: Invoice) -> str:
    """The language that an invoice and its credit notes were issued in: the account's at that time; empty: English."""
    return str(invoice.metadata.get("language", ""))


def _drawn(template: str, context: Callable[[], dict[str, Any]]) -> bytes:
    try:
        # Not at the top: without Pango this import fails, and then nothing but PDFs should fail.
        from igny8_core.business.billing.services.invoices import pdf_renderer
    except OSError as error:
        raise PdfUnavailable(retry_after=RETRY_SECONDS) from error
    return pdf_renderer.to_pdf(showable(render_to_string(template, context())))


def _context(invoice: Invoice, instructions: PaymentInstructions | None) -> dict[str, Any]:
    return {
        **_parties(invoice),
        "kind": _("Invoice"),
        "number": invoice.invoice_number,
        "mark": _(MARKS[InvoiceStatus(invoice.status)]),
        "lines": printed_lines(invoice),
        "subtotal": plain_amount_text(invoice.subtotal, invoice.currency),
        "tax": plain_amount_text(invoice.tax, invoice.currency),
        "total": amount_text(invoice.total, invoice.currency),
        "instructions": instructions,
        "corrects": invoice.replaces,
    }


def _credit_note_context(credit_note: CreditNote) -> dict[str, Any]:
    payment = credit_note.payment
    return {
        **_parties(credit_note.invoice),
        "kind": _("Credit note"),
        "number": credit_note.credit_note_number,
        "note": credit_note,
        "payment": payment,
        "paid": amount_text(payment.amount, payment.currency) if payment else "",
        "corrected_by": credit_note.invoice.replaced_by,
        "amount": plain_amount_text(credit_note.amount, credit_note.currency),
        "total": amount_text(credit_note.amount, credit_note.currency),
    }


def _parties(invoice: Invoice) -> dict[str, Any]:
    snapshot: dict[str, str] = invoice.metadata.get("billing_snapshot", {})
    return {
        "invoice": invoice,
        "seller": {"name": settings.COMPANY_NAME, "address": settings.COMPANY_ADDRESS},
        "buyer": snapshot,
        "buyer_lines": _address_lines(snapshot),
    }


def _address_lines(snapshot: dict[str, str]) -> list[str]:
    country = snapshot.get("country", "")
    town = " ".join(part for name in ("postal_code", "city") if (part := snapshot.get(name)))
    lines = [
        snapshot.get("address_line1"),
        snapshot.get("address_line2"),
        ", ".join(part for part in (town, snapshot.get("state")) if part),
        country_text(country),
    ]
    return [line for line in lines if line]
