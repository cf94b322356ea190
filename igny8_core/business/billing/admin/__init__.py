"""Console pages of money; importing them registers them."""

from igny8_core.business.billing.admin import credit, invoice, payment, payment_method, webhook_event

__all__ = ["credit", "invoice", "payment", "payment_method", "webhook_event"]
