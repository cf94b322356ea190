"""Console pages of what belongs to no app."""

from django.contrib import admin

from igny8_core.common.models import RateCounter
from igny8_core.events.console import LogAdmin, moment


@admin.register(RateCounter)
class RateCounterAdmin(LogAdmin):
    """How often callers knocked; the keys are hashes, so that no addresses are kept."""

    list_display = ("key", "window_start_shown", "count")
    search_fields = ("key__startswith",)
    ordering = ("-window_start",)
    fields = ("key", "window_start_shown", "count")

    window_start_shown = moment("window_start")
