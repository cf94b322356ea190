"""Console pages of the payment methods that invoices offered."""

from django.contrib import admin
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter

from igny8_core.business.billing.models import InvoiceOffer
from igny8_core.console.pages import LogAdmin


@admin.register(InvoiceOffer)
class InvoiceOfferAdmin(LogAdmin):
    """The payment methods that each invoice offered when it was issued."""

    list_display = ("id", "invoice", "position", "display_name", "payment_method", "payee_version", "is_reconstructed")
    list_filter = (("payment_method", ChoicesDropdownFilter), ("is_reconstructed", BooleanRadioFilter))
    list_select_related = ("invoice", "payee_version")
    search_fields = ("invoice__invoice_number",)
    search_help_text = "Search by invoice number"
    fields = (
        "invoice",
        ("display_name", "payment_method"),
        ("country_code", "position"),
        "payee_version",
        "is_reconstructed",
    )
