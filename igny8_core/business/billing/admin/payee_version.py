"""Console pages of bank and wallet details, by version."""

from django.contrib import admin
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter

from igny8_core.business.billing.models import PayeeVersion
from igny8_core.business.billing.payees import instructions_of
from igny8_core.console.columns import moment
from igny8_core.console.pages import LogAdmin


@admin.register(PayeeVersion)
class PayeeVersionAdmin(LogAdmin):
    """Every version of the bank and wallet details that customers were told to pay to, and who entered it."""

    list_display = ("id", "created", "country_code", "payment_method", "account_number", "iban", "wallet_id", "by")
    list_filter = (("payment_method", ChoicesDropdownFilter), ("is_sample", BooleanRadioFilter), "country_code")
    list_select_related = ("created_by",)
    search_fields = ("account_number", "iban", "wallet_id", "bank_name")
    search_help_text = "Search by account number, IBAN, wallet number or bank"
    fields = (("country_code", "payment_method"), "payer_reads", "is_sample", ("created", "created_by"))

    created = moment("created_at")

    @admin.display(description="entered by", ordering="created_by")
    def by(self, version: PayeeVersion) -> str:
        """Who entered these details."""
        return str(version.created_by or self.empty_value_display)

    @admin.display(description="what the payer sees")
    def payer_reads(self, version: PayeeVersion) -> str:
        """The details and instructions as customers see them."""
        return instructions_of(version)
