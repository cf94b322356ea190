"""Console pages of allocations: which payments and credit notes count towards which invoices."""

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateFilter

from igny8_core.business.billing.models import Allocation
from igny8_core.console.columns import moment, money
from igny8_core.console.pages import LogAdmin


@admin.register(Allocation)
class AllocationAdmin(LogAdmin):
    """Allocations of payments to invoices, current and released."""

    list_display = ("id", "invoice", "payment", "kind", "amount_shown", "made_by", "made", "released")
    list_filter = (("created_at", RangeDateFilter),)
    list_select_related = ("invoice", "payment", "made_by")
    search_fields = ("invoice__invoice_number",)
    search_help_text = "Search by invoice number"
    fieldsets = (
        (None, {"fields": (("invoice", "payment", "credit_note"), ("kind", "amount_shown"), ("made_by", "made"))}),
        ("Released", {"fields": (("released", "release_reason"),)}),
    )

    amount_shown = money("amount")
    made = moment("created_at", "allocated")
    released = moment("released_at")
