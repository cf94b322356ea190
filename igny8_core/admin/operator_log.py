"""Console pages of operators' edits (Django's admin log)."""

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from igny8_core.console.columns import label, moment
from igny8_core.console.pages import LogAdmin

KINDS = {ADDITION: ("added", "success"), CHANGE: ("changed", "info"), DELETION: ("deleted", "danger")}


@admin.register(LogEntry)
class LogEntryAdmin(LogAdmin):
    """What operators edited in the console. The event log has everything that services did."""

    list_display = ("id", "at", "user", "kind", "content_type", "object_repr", "what")
    list_filter = (("user", AutocompleteSelectFilter),)
    list_select_related = ("user", "content_type")
    search_fields = ("user__email", "object_repr")
    search_help_text = "Search by operator or edited object"
    ordering = ("-id",)
    fields = ("at", "user", "kind", "content_type", "object_id", "object_repr", "what")

    at = moment("action_time", "time")

    @admin.display(description="action")
    def kind(self, entry: LogEntry) -> str:
        """Added, changed or deleted."""
        return label(*KINDS[entry.action_flag])

    @admin.display(description="changes")
    def what(self, entry: LogEntry) -> str:
        """The edited fields."""
        return entry.get_change_message()
