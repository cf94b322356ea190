"""Invoices and credit notes as PDFs, for use in a shell; invoices/pdf draws them."""

from igny8_core.business.billing.services.invoices.pdf import render_credit_note, render_invoice

__all__ = ["render_credit_note", "render_invoice"]
