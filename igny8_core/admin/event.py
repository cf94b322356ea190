"""Console pages of events."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter, FieldTextFilter

from igny8_core.console.columns import EMPTY, change_url, json_block, moment
from igny8_core.console.filters import MomentRangeFilter
from igny8_core.console.pages import LogAdmin
from igny8_core.events.models import Event
from igny8_core.events.registry import UnknownEventType, event_type


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

    list_display = ("id", "created", "type", "account", "about", "actor")
    list_filter = (
        ("type", FieldTextFilter),
        ("account", AutocompleteSelectFilter),
        WhoFilter,
        ("created_at", MomentRangeFilter),
    )
    list_select_related = ("account", "actor")
    search_fields = ("type__startswith", "object_id__exact", "request_id__exact")
    search_help_text = "Search by type, such as payment.approved, or by the exact ID of an object or request"
    fields = (
        ("type", "says"),
        ("created", "actor"),
        "account",
        ("about", "history"),
        "deliveries",
        "request_id",
        "data_shown",
    )

    created = moment("created_at")
    data_shown = json_block("data")

    @admin.display(description="about", ordering="object_type")
    def about(self, event: Event) -> str:
        """What it happened to, which leads to its page; the page says so if it is gone."""
        return _link_to(event, "change", f"{event.object_type} {event.object_id}")

    @admin.display(description="all of its events")
    def history(self, event: Event) -> str:
        """Leads to the history of what it happened to."""
        return _link_to(event, "history", "History")

    @admin.display(description="what it says")
    def says(self, event: Event) -> str:
        """The sentence of its type; the type itself for one that only the release before knew."""
        try:
            return event_type(event.type).says
        except UnknownEventType:
            return event.type

    @admin.display(description="deliveries")
    def deliveries(self, event: Event) -> str:
        """Who is told of it, and how that stands."""
        rows = event.deliveries.order_by("pk")
        link = '<a class="text-link" href="{}">{}</a> ({})'
        told = ((change_url("events_delivery", row.pk), row.consumer, row.get_status_display()) for row in rows)
        return format_html_join(", ", link, told) or EMPTY


def _link_to(event: Event, page: str, text: str) -> str:
    """A link to a page of what the event is about; the text alone for what has no pages here."""
    try:
        address = reverse(f"admin:{event.object_type.replace('.', '_')}_{page}", args=[event.object_id])
    except NoReverseMatch:
        return text
    return format_html('<a class="text-link" href="{}">{}</a>', address, text)
