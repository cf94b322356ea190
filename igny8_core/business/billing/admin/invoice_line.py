"""Console pages of invoice lines."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from igny8_core.business.billing.models import InvoiceLine, LineKind
from igny8_core.console.columns import badge, moment, money
from igny8_core.console.pages import LogAdmin

LINE_TONES = {LineKind.PLAN: "info", LineKind.PLAN_CHANGE: "info", LineKind.CREDIT_PACKAGE: "success"}


@admin.register(InvoiceLine)
class InvoiceLineAdmin(LogAdmin):
    """The lines of all invoices."""

    list_display = (
        "id",
        "invoice",
        "position",
        "kind_shown",
        "description",
        "quantity",
        "each",
        "plan",
        "package",
    )
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("invoice", "plan", "package")
    search_fields = ("invoice__invoice_number",)
    search_help_text = "Search by invoice number"
    fieldsets = (
        (None, {"fields": (("invoice", "position"), "kind_shown", "description")}),
        ("Amount", {"fields": (("quantity", "each", "in_all"), ("tax_rate", "tax_category", "tax_shown"))}),
        (
            "Sold",
            {
                "fields": (
                    ("plan", "package"),
                    ("billing_cycle", "from_moment", "to_moment"),
                    ("credits", "credits_rollover", "valid_days"),
                    ("max_sites", "max_users"),
                    ("period_price_shown", "period_credits", "restarts_period"),
                )
            },
        ),
    )

    kind_shown = badge("kind", LINE_TONES)
    each = money("unit_amount", "unit price")
    in_all = money("line_total", "total")
    tax_shown = money("tax_amount", "tax amount")
    period_price_shown = money("period_price", "period price")
    from_moment = moment("period_start", "from")
    to_moment = moment("period_end", "to")
