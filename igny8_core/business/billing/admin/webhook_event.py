"""Console pages of messages from the gateways."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter

from igny8_core.business.billing.models import WebhookEvent, WebhookState
from igny8_core.events.console import LogAdmin, badge, json_block, moment

WEBHOOK_TONES = {WebhookState.WAITING: "info", WebhookState.PROCESSED: "success", WebhookState.DEAD: "danger"}


@admin.register(WebhookEvent)
class WebhookEventAdmin(LogAdmin):
    """What Stripe and PayPal told us, newest first."""

    list_display = ("id", "received", "provider", "type", "state_shown", "attempts", "next_attempt", "processed")
    list_filter = (
        ("provider", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("type", FieldTextFilter),
    )
    search_fields = ("event_id__exact", "type__startswith")
    search_help_text = "The gateway's id of the event, or its type"
    fields = (
        "provider",
        "event_id",
        "type",
        "state_shown",
        "attempts",
        "next_attempt",
        "last_error",
        "received",
        "processed",
        "body_shown",
    )

    state_shown = badge("state", WEBHOOK_TONES)
    received = moment("received_at")
    processed = moment("processed_at")
    next_attempt = moment("next_attempt_at")
    body_shown = json_block("body")
