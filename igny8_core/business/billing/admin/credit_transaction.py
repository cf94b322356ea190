"""Console pages of credit transactions."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from igny8_core.business.billing.models import (
    CreditTransaction,
    CreditTransactionType,
)
from igny8_core.console.columns import badge, json_block, label, moment
from igny8_core.console.filters import MomentRangeFilter
from igny8_core.console.pages import LogAdmin

TRANSACTION_TONES = {
    CreditTransactionType.TRIAL: "info",
    CreditTransactionType.SUBSCRIPTION: "success",
    CreditTransactionType.PURCHASE: "success",
    CreditTransactionType.ADJUSTMENT: "warning",
    CreditTransactionType.REFUND: "danger",
}


@admin.register(CreditTransaction)
class CreditTransactionAdmin(LogAdmin):
    """Credit transactions, newest first."""

    list_display = ("id", "created", "account", "type_shown", "amount_shown", "balance_after", "description", "source")
    list_filter = (
        ("transaction_type", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
        ("created_at", MomentRangeFilter),
    )
    list_select_related = ("account",)
    search_fields = ("account__name", "source__startswith")
    search_help_text = "Search by account or source, such as payment:12"
    fields = (
        "account", "type_shown", "amount_shown", "balance_after", "description", "source", "created", "metadata_shown"
    )  # fmt: skip

    created = moment("created_at")
    type_shown = badge("transaction_type", TRANSACTION_TONES, "type")
    metadata_shown = json_block("metadata")

    @admin.display(description="credits", ordering="amount")
    def amount_shown(self, entry: CreditTransaction) -> str:
        """Credits with their sign."""
        return label(f"{entry.amount:+,d}", "success" if entry.amount > 0 else "")
