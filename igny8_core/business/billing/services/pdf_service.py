"""The invoice as a PDF. It states what the invoice's row holds and nothing that changed since (threats.md PDF-07)."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from igny8_core.business.billing.errors import PdfUnavailable
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.services.documents import money, payment_instructions, showable
from igny8_core.common.countries import COUNTRY_NAMES
from igny8_core.common.money import format_amount

MARKS = {
    InvoiceStatus.DRAFT: "DRAFT",
    InvoiceStatus.PENDING: "DUE",
    InvoiceStatus.PAID: "PAID",
    InvoiceStatus.VOID: "VOID",
    InvoiceStatus.UNCOLLECTIBLE: "UNPAID",
}


def render_invoice(invoice: Invoice) -> bytes:
    """Draw the invoice on A4. Raises PdfUnavailable where the renderer's system libraries are missing."""
    try:
        # Not at the top: where Pango is missing this import fails, and nothing but PDFs should.
        from igny8_core.business.billing.services import pdf_renderer
    except OSError as error:
        raise PdfUnavailable() from error
    return pdf_renderer.to_pdf(showable(render_to_string("pdf/invoice.html", _context(invoice))))


def _context(invoice: Invoice) -> dict[str, Any]:
    snapshot: dict[str, str] = invoice.metadata.get("billing_snapshot", {})
    return {
        "invoice": invoice,
        "mark": MARKS[InvoiceStatus(invoice.status)],
        "seller": {"name": settings.COMPANY_NAME, "address": settings.COMPANY_ADDRESS},
        "buyer": snapshot,
        "buyer_lines": _address_lines(snapshot),
        "lines": [_line(line, invoice.currency) for line in invoice.line_items],
        "subtotal": format_amount(invoice.subtotal, invoice.currency),
        "tax": format_amount(invoice.tax, invoice.currency),
        "total": money(invoice.total, invoice.currency),
        "instructions": payment_instructions(invoice),
    }


def _address_lines(snapshot: dict[str, str]) -> list[str]:
    country = snapshot.get("country", "")
    town = " ".join(part for name in ("postal_code", "city") if (part := snapshot.get(name)))
    lines = [
        snapshot.get("address_line1"),
        snapshot.get("address_line2"),
        ", ".join(part for part in (town, snapshot.get("state")) if part),
        COUNTRY_NAMES.get(country, country),
    ]
    return [line for line in lines if line]


def _line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    unit_price = Decimal(line["amount"])
    return {
        "description": line["description"],
        "quantity": line["quantity"],
        "unit_price": format_amount(unit_price, currency),
        "amount": format_amount(unit_price * line["quantity"], currency),
    }
