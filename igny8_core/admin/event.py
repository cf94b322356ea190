"""Console pages of events."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, FieldTextFilter

from igny8_core.console.columns import json_block, moment
from igny8_core.console.pages import LogAdmin
from igny8_core.events.models import Event


@admin.register(Event)
class EventAdmin(LogAdmin):
    """The event log, newest first. Nobody can change it."""

    list_display = ("id", "created", "type", "account", "object_type", "object_id", "actor")
    list_filter = (("type", FieldTextFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account", "actor")
    search_fields = ("type__startswith", "object_id__exact", "request_id__exact")
    search_help_text = "Search by type, such as payment.approved, or by the exact ID of an object or request"
    fields = ("type", "created", "account", "object_type", "object_id", "actor", "request_id", "data_shown")

    created = moment("created_at")
    data_shown = json_block("data")
