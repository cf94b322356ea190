"""Console pages of events."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter, FieldTextFilter

from igny8_core.console.columns import json_block, moment
from igny8_core.console.filters import MomentRangeFilter
from igny8_core.console.pages import LogAdmin
from igny8_core.events.models import Event


class WhoFilter(DropdownFilter):  # type: ignore[misc]
    """Who did it: people of ours, customers, or nobody, as when time or a gateway brought it about."""

    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("operators", "Operators"), ("customers", "Customers"), ("nobody", "Time or a gateway")]

    def queryset(self, request: HttpRequest, events: QuerySet[Event]) -> QuerySet[Event]:
        """The events of those who were chosen."""
        chosen = {
            "operators": Q(actor__is_staff=True),
            "customers": Q(actor__is_staff=False),
            "nobody": Q(actor__isnull=True),
        }
        return events.filter(chosen.get(self.value(), Q()))


@admin.register(Event)
class EventAdmin(LogAdmin):
    """The event log, newest first. Nobody can change it."""

    list_display = ("id", "created", "type", "account", "object_type", "object_id", "actor")
    list_filter = (
        ("type", FieldTextFilter),
        ("account", AutocompleteSelectFilter),
        WhoFilter,
        ("created_at", MomentRangeFilter),
    )
    list_select_related = ("account", "actor")
    search_fields = ("type__startswith", "object_id__exact", "request_id__exact")
    search_help_text = "Search by type, such as payment.approved, or by the exact ID of an object or request"
    fields = ("type", "created", "account", "object_type", "object_id", "actor", "request_id", "data_shown")

    created = moment("created_at")
    data_shown = json_block("data")
