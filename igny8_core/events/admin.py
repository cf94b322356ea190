"""Console pages of the event log."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, FieldTextFilter

from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.console.base import LogAdmin, badge, json_block, moment
from igny8_core.events import deliveries
from igny8_core.events.models import Delivery, DeliveryStatus, Event

DELIVERY_TONES = {DeliveryStatus.WAITING: "info", DeliveryStatus.DONE: "success", DeliveryStatus.DEAD: "danger"}


@admin.register(Event)
class EventAdmin(LogAdmin):
    """What happened, newest first; nobody changes the past."""

    list_display = ("id", "created", "type", "account", "object_type", "object_id", "actor")
    list_filter = (("type", FieldTextFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account", "actor")
    search_fields = ("type__startswith", "object_id__exact", "request_id__exact")
    search_help_text = "Type, for example payment.approved, or the exact id of an object or request"
    fields = ("type", "created", "account", "object_type", "object_id", "actor", "request_id", "data_shown")

    created = moment("created_at")
    data_shown = json_block("data")


@admin.register(Delivery)
class DeliveryAdmin(LogAdmin):
    """Events on their way to those who want to be told: mails, webhooks."""

    list_display = ("id", "event", "consumer", "status_shown", "attempts", "next_attempt", "last_error")
    list_filter = (("status", ChoicesDropdownFilter), ("consumer", FieldTextFilter))
    list_select_related = ("event",)
    search_fields = ("event__type__startswith", "consumer__exact")
    search_help_text = "Type of the event, for example payment.approved, or name of the consumer"
    ordering = ("-id",)
    fields = ("event", "consumer", "status_shown", "attempts", "next_attempt", "last_error")

    actions = ("retry",)

    status_shown = badge("status", DELIVERY_TONES)
    next_attempt = moment("next_attempt_at")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Who may change deliveries."""
        return request.user.has_perm("events.change_delivery")

    @admin.action(description="Try selected deliveries again", permissions=["retry"])
    def retry(self, request: HttpRequest, selected: QuerySet[Delivery]) -> None:
        """Put deliveries that were given up back in the queue, and say which were not."""
        put_back = 0
        for delivery in selected.order_by("pk"):
            try:
                deliveries.retry(delivery)
            except TransitionNotAllowed as refusal:
                messages.warning(request, f"Delivery {delivery.pk}: {refusal.text}")
            else:
                put_back += 1
        if put_back:
            messages.success(request, f"{put_back} put back in the queue; the next try is within seconds.")
