"""Console pages of webhook messages."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.models import WebhookEvent, WebhookState
from igny8_core.business.billing.services.webhook_inbox.inbox import (
    FOR_OPERATORS,
    replay_message,
    set_message_aside,
)
from igny8_core.common.api.fields import MultilineTextField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import badge, moment
from igny8_core.console.dialogs import ConfirmDialog, back_to, decided, row_id
from igny8_core.console.filters import MomentRangeFilter
from igny8_core.console.pages import LogAdmin

WEBHOOK_TONES = {
    WebhookState.WAITING: "info",
    WebhookState.PROCESSED: "success",
    WebhookState.NEEDS_REVIEW: "danger",
    WebhookState.DEAD: "danger",
}


class SetAsideInput(StrictSerializer):
    reason = MultilineTextField(max_length=500)


class SetAsideDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """Asks how a message was settled that nothing here matches, or why nobody needs one that was given up."""

    rules = SetAsideInput

    reason = forms.CharField(
        max_length=500,
        help_text="What was done about it, for other operators. Example: The money was returned in Stripe's dashboard.",
        widget=UnfoldAdminTextareaWidget,
    )


@admin.register(WebhookEvent)
class WebhookEventAdmin(LogAdmin):
    """Messages that Stripe and PayPal sent to us, newest first."""

    list_display = ("id", "received", "provider", "type", "state_shown", "attempts", "next_attempt", "processed")
    list_filter = (
        ("provider", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("type", FieldTextFilter),
        ("received_at", MomentRangeFilter),
    )
    search_fields = ("event_id__exact", "type__startswith")
    search_help_text = "Search by message ID or type"
    actions = ("process_selected",)
    actions_detail = ("process_again", "set_aside")
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

    @admin.display(description="message")
    def body_shown(self, event: WebhookEvent) -> str:
        """The message as indented JSON; unchanged if it is not JSON."""
        try:
            text = json.dumps(json.loads(event.body), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = event.body
        return format_html('<pre class="console-json">{}</pre>', text)

    def has_process_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see messages and process them again."""
        return self.has_view_permission(request) and request.user.has_perm("billing.process_webhook")

    @admin.action(description="Process selected messages again", permissions=["process"])
    def process_selected(self, request: HttpRequest, selected: QuerySet[WebhookEvent]) -> None:
        """Put the messages back into the queue, oldest first."""
        _replay(request, selected)

    @page_action(  # type: ignore[untyped-decorator]
        description="Process again",
        permissions=["process"],
        icon="replay",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": "Process this message again",
            "description": "We ask the gateway again about the payment or subscription in this message. Nothing is "
            "booked twice.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Process again",
        },
    )
    def process_again(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Put the message of the page back into the queue."""
        _replay(request, WebhookEvent.objects.filter(pk=row_id(object_id)))
        return back_to(request, "billing_webhookevent", object_id)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons. "Set aside" is shown while the message needs review or was given up."""
        waits = WebhookEvent.objects.filter(pk=row_id(object_id), state__in=FOR_OPERATORS).exists()
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [button for button in buttons if waits or "set_aside" not in button.action_name]

    @page_action(  # type: ignore[untyped-decorator]
        description="Set aside",
        permissions=["process"],
        icon="inventory",
        dialog={
            "title": "Set this message aside",
            "description": "For a message that was settled outside this console, or that was given up and that nobody "
            "needs. Nothing is booked for it. The reason is kept in its history.",
            "form_class": SetAsideDialog,
            "form_submit_text": "Set aside",
        },
    )
    def set_aside(self, request: HttpRequest, form: SetAsideDialog, object_id: str) -> HttpResponse:
        """Close the message of the page, with the reason from the dialog."""

        def close() -> str:
            event = WebhookEvent.objects.get(pk=row_id(object_id))
            set_message_aside(event, form.cleaned_data["reason"], operator_of(request))
            return "The message was set aside."

        return decided(request, "billing_webhookevent", object_id, close)


def _replay(request: HttpRequest, selected: QuerySet[WebhookEvent]) -> None:
    operator, count = operator_of(request), 0
    for event in selected.order_by("pk"):
        replay_message(event, operator)
        count += 1
    messages.success(request, f"Messages put back into the queue: {count}. They are processed within seconds.")
