"""Console pages of rate counters."""

from django.contrib import admin

from igny8_core.common.models import RateCounter
from igny8_core.console.columns import moment
from igny8_core.console.pages import LogAdmin


@admin.register(RateCounter)
class RateCounterAdmin(LogAdmin):
    """Rate counters. Keys are hashes, so that no addresses are stored."""

    list_display = ("key", "window_start_shown", "count")
    search_fields = ("key__startswith",)
    search_help_text = "Search by the beginning of the key"
    ordering = ("-window_start",)
    fields = ("key", "window_start_shown", "count")

    window_start_shown = moment("window_start")
