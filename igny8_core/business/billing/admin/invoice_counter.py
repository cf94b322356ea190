"""Console pages of invoice counters."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from igny8_core.business.billing.models import InvoiceCounter
from igny8_core.console.pages import ReadOnlyAdmin


@admin.register(InvoiceCounter)
class InvoiceCounterAdmin(ReadOnlyAdmin):
    """The last number that was used, by account, series and month."""

    list_display = ("account", "series", "month", "last_number")
    list_filter = (("account", AutocompleteSelectFilter),)
    list_select_related = ("account",)
    search_fields = ("account__name", "month__exact")
    search_help_text = "Search by account, or by month as YYYYMM"
    ordering = ("-month", "account_id")
    fields = ("account", "series", "month", "last_number")
