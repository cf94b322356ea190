"""Console pages of credit notes."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from igny8_core.business.billing.admin.documents import ShowsDocument
from igny8_core.business.billing.models import CreditNote
from igny8_core.business.billing.services.invoices.pdf import render_credit_note
from igny8_core.console.columns import moment, money
from igny8_core.console.filters import MomentRangeFilter
from igny8_core.console.pages import ReadOnlyAdmin


@admin.register(CreditNote)
class CreditNoteAdmin(ShowsDocument, ReadOnlyAdmin):
    """Credit notes. Refunds create them on the payment's page, and corrections on the invoice's."""

    list_display = (
        "credit_note_number",
        "account",
        "invoice",
        "amount_shown",
        "credits_taken_back",
        "credits_not_recovered",
        "created_by",
        "created",
    )
    list_filter = (("created_at", MomentRangeFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account", "invoice", "created_by")
    search_fields = ("credit_note_number", "invoice__invoice_number", "reference", "account__name")
    search_help_text = "Search by number of the credit note or invoice, reference or account"
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("credit_note_number", "amount_shown"), ("account", "invoice"), "payment")}),
        ("Refund", {"fields": ("reason", "reference", "gateway_refund_id", ("created_by", "created"))}),
        ("Credits", {"fields": (("credits_taken_back", "credits_not_recovered"),)}),
        ("Document", {"fields": ("document",)}),
    )
    readonly_fields = ("document",)

    amount_shown = money("amount")
    created = moment("created_at")

    def drawn(self, row: CreditNote) -> bytes:
        """The credit note's PDF."""
        return render_credit_note(row)
