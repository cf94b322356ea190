"""Console pages of invoices."""

from decimal import Decimal

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter

from igny8_core.business.billing.models import Invoice, InvoiceCounter, InvoiceStatus
from igny8_core.events.console import ConsoleAdmin, ReadOnlyAdmin, amount_text, badge, json_block, moment, money

INVOICE_TONES = {
    InvoiceStatus.PENDING: "warning",
    InvoiceStatus.PAID: "success",
    InvoiceStatus.UNCOLLECTIBLE: "danger",
}


@admin.register(Invoice)
class InvoiceAdmin(ConsoleAdmin):
    """Invoices. They state what was agreed: only the notes of an open one can be written."""

    list_display = ("invoice_number", "account", "status_shown", "total_shown", "date", "due", "paid")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("invoice_date", RangeDateFilter),
        ("due_date", RangeDateFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_select_related = ("account",)
    search_fields = ("invoice_number", "account__name")
    search_help_text = "Invoice number, account"
    date_hierarchy = "invoice_date"
    fieldsets = (
        (None, {"fields": (("invoice_number", "status_shown"), ("account", "subscription"))}),
        ("Amount", {"fields": ("lines", ("subtotal_shown", "tax_shown", "total_shown"))}),
        ("Dates", {"fields": (("date", "due"), ("paid", "created"))}),
        ("Notes", {"fields": ("notes", "void_reason")}),
        ("As it was when the invoice was made", {"fields": ("metadata_shown",)}),
    )
    readonly_fields = (
        "invoice_number",
        "status_shown",
        "account",
        "subscription",
        "lines",
        "subtotal_shown",
        "tax_shown",
        "total_shown",
        "date",
        "due",
        "paid",
        "created",
        "void_reason",
        "metadata_shown",
    )

    status_shown = badge("status", INVOICE_TONES)
    subtotal_shown = money("subtotal")
    tax_shown = money("tax")
    total_shown = money("total")
    paid = moment("paid_at")
    created = moment("created_at")
    metadata_shown = json_block("metadata")

    @admin.display(description="date", ordering="invoice_date")
    def date(self, invoice: Invoice) -> str:
        """The date of the invoice."""
        return invoice.invoice_date.isoformat()

    @admin.display(description="due", ordering="due_date")
    def due(self, invoice: Invoice) -> str:
        """When it is to be paid."""
        return invoice.due_date.isoformat()

    @admin.display(description="lines")
    def lines(self, invoice: Invoice) -> str:
        """What is charged, a line each."""
        lines = (
            (line["quantity"], line["description"], amount_text(Decimal(line["amount"]), invoice.currency))
            for line in invoice.line_items
        )
        return format_html_join("", "<div>{} × {}, {} each</div>", lines)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: orders and renewals make invoices."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: a number once given is kept."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who may change invoices, while the invoice is not final."""
        if isinstance(obj, Invoice) and obj.status in (InvoiceStatus.PAID, InvoiceStatus.VOID):
            return False
        return super().has_change_permission(request, obj)


@admin.register(InvoiceCounter)
class InvoiceCounterAdmin(ReadOnlyAdmin):
    """Last number of each account, series and month."""

    list_display = ("account", "series", "month", "last_number")
    list_filter = (("account", AutocompleteSelectFilter),)
    list_select_related = ("account",)
    search_fields = ("account__name", "month__exact")
    ordering = ("-month", "account_id")
    fields = ("account", "series", "month", "last_number")
