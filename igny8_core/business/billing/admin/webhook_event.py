"""Console pages of messages from the gateways."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter, RangeDateTimeFilter
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from igny8_core.auth.models import User
from igny8_core.business.billing.admin.payment_decisions import back_to, operator_of
from igny8_core.business.billing.models import WebhookEvent, WebhookState
from igny8_core.business.billing.services.webhook_inbox.inbox import replay_message, set_message_aside
from igny8_core.common.api.fields import MultilineTextField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.errors import DomainError
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import badge, change_url, moment
from igny8_core.console.pages import LogAdmin

WEBHOOK_TONES = {
    WebhookState.WAITING: "info",
    WebhookState.PROCESSED: "success",
    WebhookState.NEEDS_REVIEW: "danger",
    WebhookState.DEAD: "danger",
}


class ProcessAgainDialog(BaseDialogForm):  # type: ignore[misc]
    """Asks once more before a message is processed again; there is nothing to fill in."""


class SetAsideInput(StrictSerializer):
    reason = MultilineTextField(max_length=500)


class SetAsideDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """Asks what was done about a message that fits nothing here."""

    rules = SetAsideInput

    reason = forms.CharField(
        max_length=500,
        help_text="What was done elsewhere, for whoever asks later: the money was given back at Stripe, for example.",
        widget=UnfoldAdminTextareaWidget,
    )


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
        _replay(request, WebhookEvent.objects.filter(pk=_number(object_id)))
        address = change_url("billing_webhookevent", object_id)
        # The dialog is sent by a script, which would swap a redirect's page into itself.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """A message is set aside only while it waits for an operator."""
        waits = WebhookEvent.objects.filter(pk=_number(object_id), state=WebhookState.NEEDS_REVIEW).exists()
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [button for button in buttons if waits or "set_aside" not in button.action_name]

    @page_action(  # type: ignore[untyped-decorator]
        description="Set aside",
        permissions=["process"],
        icon="inventory",
        dialog={
            "title": "Set this message aside",
            "description": "For what was settled elsewhere. Nothing is booked here because of this message.",
            "form_class": SetAsideDialog,
            "form_submit_text": "Set aside",
        },
    )
    def set_aside(self, request: HttpRequest, form: SetAsideDialog, object_id: str) -> HttpResponse:
        """Note that the message of the page needs nothing more; the dialog has the reason."""
        try:
            event = WebhookEvent.objects.get(pk=_number(object_id))
            set_message_aside(event, form.cleaned_data["reason"], operator_of(request))
        except DomainError as refusal:
            messages.warning(request, refusal.text)
        else:
            messages.success(request, "Set aside.")
        return back_to(request, "billing_webhookevent", object_id)


def _number(object_id: str) -> int:
    return int(object_id) if object_id.isdecimal() and len(object_id) < 20 else 0


def _replay(request: HttpRequest, selected: QuerySet[WebhookEvent]) -> None:
    if not isinstance(request.user, User):
        raise TypeError("Only a logged-in operator has messages processed again.")
    count = 0
    for event in selected.order_by("pk"):
        replay_message(event, request.user)
        count += 1
    messages.success(request, f"{count} put back in the queue; processing begins within seconds.")
