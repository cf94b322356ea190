"""Invoices and credit notes as PDFs, for shells; how they are drawn stands in invoices/pdf."""

from igny8_core.business.billing.services.invoices.pdf import render_credit_note, render_invoice

__all__ = ["render_credit_note", "render_invoice"]
