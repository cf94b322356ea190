"""Console pages of what belongs to no app."""

from django.contrib import admin

from igny8_core.common.models import IdempotentAnswer, RateCounter
from igny8_core.console.base import LogAdmin, moment


@admin.register(RateCounter)
class RateCounterAdmin(LogAdmin):
    """How often callers knocked; the keys are hashes, so that no addresses are kept."""

    list_display = ("key", "window_start_shown", "count")
    search_fields = ("key__startswith",)
    ordering = ("-window_start",)
    fields = ("key", "window_start_shown", "count")

    window_start_shown = moment("window_start")


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(LogAdmin):
    """Answers kept for repeats; what was answered is not shown, because it is the customer's."""

    list_display = ("key", "caller", "status", "created")
    search_fields = ("key__startswith", "caller__exact")
    fields = ("key", "caller", "status", "created")

    created = moment("created_at")
