"""Console pages of what operators edited by hand."""

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from igny8_core.console.base import LogAdmin, label, moment

KINDS = {ADDITION: ("added", "success"), CHANGE: ("changed", "info"), DELETION: ("deleted", "danger")}


@admin.register(LogEntry)
class LogEntryAdmin(LogAdmin):
    """Who edited what in the console; what services did is in the events."""

    list_display = ("id", "at", "user", "kind", "content_type", "object_repr", "what")
    list_filter = (("user", AutocompleteSelectFilter),)
    list_select_related = ("user", "content_type")
    search_fields = ("user__email", "object_repr")
    search_help_text = "Operator or edited object"
    ordering = ("-id",)
    fields = ("at", "user", "kind", "content_type", "object_id", "object_repr", "what")

    at = moment("action_time", "time")

    @admin.display(description="kind")
    def kind(self, entry: LogEntry) -> str:
        """Added, changed or deleted."""
        return label(*KINDS[entry.action_flag])

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        """The edited fields."""
        return entry.get_change_message()
