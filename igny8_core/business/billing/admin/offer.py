"""Console pages of what invoices offered, and of the defaults that were made once."""

from django.contrib import admin
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter

from igny8_core.business.billing.models import InvoiceOffer, MadeDefault, PayeeVersion
from igny8_core.business.billing.payees import instructions_of
from igny8_core.console.base import LogAdmin, moment


@admin.register(PayeeVersion)
class PayeeVersionAdmin(LogAdmin):
    """Bank and wallet details, version by version: where customers were told to send their money, and by whom."""

    list_display = ("id", "created", "country_code", "payment_method", "account_number", "iban", "wallet_id", "by")
    list_filter = (("payment_method", ChoicesDropdownFilter), ("is_sample", BooleanRadioFilter), "country_code")
    list_select_related = ("created_by",)
    search_fields = ("account_number", "iban", "wallet_id", "bank_name")
    search_help_text = "Account number, IBAN, wallet number or bank"
    fields = (("country_code", "payment_method"), "payer_reads", "is_sample", ("created", "created_by"))

    created = moment("created_at")

    @admin.display(description="by", ordering="created_by")
    def by(self, version: PayeeVersion) -> str:
        """Who changed the details so."""
        return str(version.created_by or self.empty_value_display)

    @admin.display(description="payer reads")
    def payer_reads(self, version: PayeeVersion) -> str:
        """The details and instructions as customers got them."""
        return instructions_of(version)


@admin.register(InvoiceOffer)
class InvoiceOfferAdmin(LogAdmin):
    """By what each invoice could be paid when it was made."""

    list_display = ("id", "invoice", "position", "display_name", "payment_method", "payee_version", "is_reconstructed")
    list_filter = (("payment_method", ChoicesDropdownFilter), ("is_reconstructed", BooleanRadioFilter))
    list_select_related = ("invoice", "payee_version")
    search_fields = ("invoice__invoice_number",)
    search_help_text = "Number of the invoice"
    fields = (
        "invoice",
        ("display_name", "payment_method"),
        ("country_code", "position"),
        "payee_version",
        "is_reconstructed",
    )


@admin.register(MadeDefault)
class MadeDefaultAdmin(LogAdmin):
    """Defaults that were made once, and are not made again."""

    list_display = ("id", "kind", "key")
    search_fields = ("kind", "key")
    fields = ("kind", "key")
