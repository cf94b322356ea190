"""Invoices for use in a shell. Each call forwards to the function that does the work."""

from igny8_core.business.billing.services.invoices import lifecycle, pdf
from igny8_core.business.billing.services.notifications import mails


class InvoiceService:
    """Create an invoice, mark it paid or void, draw its PDF, mail it."""

    create_invoice = staticmethod(lifecycle.create_invoice)
    create_subscription_invoice = staticmethod(lifecycle.create_subscription_invoice)
    generate_invoice_number = staticmethod(lifecycle.generate_invoice_number)
    mark_paid = staticmethod(lifecycle.mark_paid)
    mark_void = staticmethod(lifecycle.mark_void)
    send_again = staticmethod(lifecycle.send_again)
    generate_pdf = staticmethod(pdf.render_invoice)
    send_invoice_email = staticmethod(mails.send_invoice)
