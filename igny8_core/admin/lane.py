"""Console pages of the way to the mail server."""

from django.contrib import admin

from igny8_core.console.columns import moment
from igny8_core.console.pages import ReadOnlyAdmin
from igny8_core.events.models import Lane


@admin.register(Lane)
class LaneAdmin(ReadOnlyAdmin):
    """Whether the mail server answers, and when it is tried next."""

    list_display = ("name", "failures", "since", "rests", "last_error")
    search_fields = ("name__startswith",)
    search_help_text = "Search by name"
    ordering = ("name",)
    fields = ("name", "failures", "since", "rests", "held", "last_error")

    since = moment("failing_since", "not answering since")
    rests = moment("rests_until", "tried next")
    held = moment("held_until", "in use until")
