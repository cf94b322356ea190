"""Console pages of messages from the gateways."""

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter, RangeDateTimeFilter
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from igny8_core.auth.models import User
from igny8_core.business.billing.models import WebhookEvent, WebhookState
from igny8_core.business.billing.services.webhook_service import WebhookService
from igny8_core.events.console import LogAdmin, badge, change_url, moment

WEBHOOK_TONES = {WebhookState.WAITING: "info", WebhookState.PROCESSED: "success", WebhookState.DEAD: "danger"}


class ProcessAgainDialog(BaseDialogForm):  # type: ignore[misc]
    """Asks once more before a message is processed again; there is nothing to fill in."""


@admin.register(WebhookEvent)
class WebhookEventAdmin(LogAdmin):
    """What Stripe and PayPal told us, newest first."""

    list_display = ("id", "received", "provider", "type", "state_shown", "attempts", "next_attempt", "processed")
    list_filter = (
        ("provider", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("type", FieldTextFilter),
        ("received_at", RangeDateTimeFilter),
    )
    search_fields = ("event_id__exact", "type__startswith")
    search_help_text = "The gateway's id of the event, or its type"
    actions = ("process_selected",)
    actions_detail = ("process_again",)
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

    @admin.display(description="body")
    def body_shown(self, event: WebhookEvent) -> str:
        """The message, one key a line; as it came where it is no JSON."""
        try:
            text = json.dumps(json.loads(event.body), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = event.body
        return format_html('<pre class="console-json">{}</pre>', text)

    def has_process_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see messages and have them processed again."""
        return self.has_view_permission(request) and request.user.has_perm("billing.process_webhook")

    @admin.action(description="Process selected messages again", permissions=["process"])
    def process_selected(self, request: HttpRequest, selected: QuerySet[WebhookEvent]) -> None:
        """Put the messages back in the queue, oldest first."""
        _replay(request, selected)

    @page_action(  # type: ignore[untyped-decorator]
        description="Process again",
        permissions=["process"],
        icon="replay",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": "Process this message again",
            "description": "The gateway is asked once more for what the message names. What was done before is not "
            "done twice.",
            "form_class": ProcessAgainDialog,
            "form_submit_text": "Process again",
        },
    )
    def process_again(self, request: HttpRequest, form: ProcessAgainDialog, object_id: str) -> HttpResponse:
        """Put the message of the page back in the queue; the dialog has been confirmed."""
        number = int(object_id) if object_id.isdecimal() and len(object_id) < 20 else 0
        _replay(request, WebhookEvent.objects.filter(pk=number))
        address = change_url("billing_webhookevent", object_id)
        # The dialog is sent by a script, which would swap a redirect's page into itself.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)


def _replay(request: HttpRequest, selected: QuerySet[WebhookEvent]) -> None:
    if not isinstance(request.user, User):
        raise TypeError("Only a logged-in operator has messages processed again.")
    count = 0
    for event in selected.order_by("pk"):
        WebhookService.replay(event, request.user)
        count += 1
    messages.success(request, f"{count} put back in the queue; processing begins within seconds.")
