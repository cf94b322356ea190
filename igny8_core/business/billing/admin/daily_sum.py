"""Console pages of the sums of days."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter

from igny8_core.business.billing.models import DailySum, DailySumMark
from igny8_core.console.columns import choice
from igny8_core.console.pages import LogAdmin


@admin.register(DailySum)
class DailySumAdmin(LogAdmin):
    """Money and credits per day of UTC, for the dashboard."""

    list_display = ("id", "day", "kind_shown", "currency", "amount")
    list_filter = (("kind", ChoicesDropdownFilter), ("day", RangeDateFilter))
    search_fields = ("currency__exact",)
    search_help_text = "Search by currency, such as USD"
    ordering = ("-day", "-id")
    fields = ("day", "kind_shown", "currency", "amount")

    kind_shown = choice("kind")


@admin.register(DailySumMark)
class DailySumMarkAdmin(LogAdmin):
    """The first day that is not summed yet."""

    list_display = ("id", "day")
    search_fields = ("id__exact",)
    fields = ("day",)
