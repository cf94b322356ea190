"""Console pages of operators' edits (Django's admin log)."""

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from igny8_core.console.columns import EMPTY, label, moment
from igny8_core.console.pages import LogAdmin

KINDS = {ADDITION: ("added", "success"), CHANGE: ("changed", "info"), DELETION: ("deleted", "danger")}


@admin.register(LogEntry)
class LogEntryAdmin(LogAdmin):
    """What operators edited in the console. The event log has everything that services did."""

    list_display = ("id", "at", "user", "kind", "kind_of_object", "edited", "what")
    list_filter = (("user", AutocompleteSelectFilter),)
    list_select_related = ("user", "content_type")
    search_fields = ("user__email", "object_repr")
    search_help_text = "Search by operator or edited object"
    ordering = ("-id",)
    list_title = "Operators' edits"
    fields = ("at", "user", "kind", "kind_of_object", "edited", "what")

    at = moment("action_time", "time")

    @admin.display(description="action")
    def kind(self, entry: LogEntry) -> str:
        """Added, changed or deleted."""
        return label(*KINDS[entry.action_flag])

    @admin.display(description="kind of object", ordering="content_type")
    def kind_of_object(self, entry: LogEntry) -> str:
        """What kind of object was edited, such as plan."""
        return str(entry.content_type.name) if entry.content_type else EMPTY

    @admin.display(description="object", ordering="object_repr")
    def edited(self, entry: LogEntry) -> str:
        """The edited object, as it was called then, with its id."""
        return f"{entry.object_repr} (ID {entry.object_id})"

    @admin.display(description="changes")
    def what(self, entry: LogEntry) -> str:
        """The edited fields."""
        return entry.get_change_message()
