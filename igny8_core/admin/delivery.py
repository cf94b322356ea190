"""Console pages of deliveries of events."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import action as page_action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from igny8_core.auth.permissions import operator_of
from igny8_core.common.api.fields import MultilineTextField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import badge, change_url, moment
from igny8_core.console.dialogs import ConfirmDialog, decided, row_id
from igny8_core.console.pages import LogAdmin
from igny8_core.events import consumers, deliveries
from igny8_core.events.models import Delivery, DeliveryStatus


class DropInput(StrictSerializer):
    reason = MultilineTextField(max_length=deliveries.LONGEST_REASON)


class DropDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """Asks why nobody needs a delivery any more that was given up."""

    rules = DropInput

    reason = forms.CharField(
        max_length=deliveries.LONGEST_REASON,
        help_text="For other operators. It is kept. Example: The customer was told by telephone.",
        widget=UnfoldAdminTextareaWidget,
    )


class MailsFilter(admin.SimpleListFilter):
    """Mails, or everything else that events cause."""

    title = "mails"
    parameter_name = "mails"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Both."""
        return [("yes", "Mails"), ("no", "Everything else")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """The deliveries of who was chosen."""
        to_mailers = Q(consumer__in=consumers.names_of_mailers())
        chosen = {"yes": to_mailers, "no": ~to_mailers}
        return queryset.filter(chosen.get(self.value() or "", Q()))


DELIVERY_TONES = {DeliveryStatus.WAITING: "info", DeliveryStatus.DONE: "success", DeliveryStatus.DEAD: "danger"}


@admin.register(Delivery)
class DeliveryAdmin(LogAdmin):
    """Deliveries of events: the e-mails and webhooks that events cause."""

    list_display = ("id", "event", "consumer", "status_shown", "attempts", "next_attempt", "last_error")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("consumer", FieldTextFilter),
        MailsFilter,
        ("event__account", AutocompleteSelectFilter),
    )
    list_select_related = ("event",)
    search_fields = ("event__type__startswith", "consumer__exact")
    search_help_text = "Search by type of the event, such as payment.approved, or by consumer"
    ordering = ("-id",)
    fields = ("event_link", "consumer", "status_shown", "attempts", "next_attempt", "last_error", "drop_reason")

    actions = ("retry",)
    actions_detail = ("retry_this", "drop")
    actions_list = ("send_now",)

    status_shown = badge("status", DELIVERY_TONES)
    next_attempt = moment("next_attempt_at")

    def has_retry_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may change deliveries."""
        return request.user.has_perm("events.change_delivery")

    @admin.action(description="Retry selected deliveries", permissions=["retry"])
    def retry(self, request: HttpRequest, selected: QuerySet[Delivery]) -> None:
        """Put deliveries that were given up back into the queue; report those that were not given up."""
        put_back = 0
        for delivery in selected.order_by("pk"):
            try:
                deliveries.retry(delivery)
            except TransitionNotAllowed as refusal:
                messages.warning(request, f"Delivery {delivery.pk}: {refusal.text}")
            else:
                put_back += 1
        if put_back:
            messages.success(request, f"Deliveries put back into the queue: {put_back}. They are tried within seconds.")

    @admin.display(description="event")
    def event_link(self, delivery: Delivery) -> str:
        """The event, which leads to its page."""
        event = delivery.event
        return format_html('<a class="text-link" href="{}">{}</a>', change_url("events_event", event.pk), event)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons, for a delivery that was given up."""
        is_dead = Delivery.objects.filter(pk=row_id(object_id), status=DeliveryStatus.DEAD).exists()
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return buttons if is_dead else []

    @page_action(  # type: ignore[untyped-decorator]
        description="Retry",
        permissions=["retry"],
        icon="replay",
        dialog={
            "title": "Retry this delivery",
            "description": "It is tried within seconds, and again later if that fails.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Retry",
        },
    )
    def retry_this(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Put the delivery of the page back into the queue."""

        def put_back() -> str:
            deliveries.retry(Delivery.objects.get(pk=row_id(object_id)))
            return "The delivery was put back into the queue."

        return decided(request, "events_delivery", object_id, put_back)

    @page_action(  # type: ignore[untyped-decorator]
        description="Drop",
        permissions=["retry"],
        icon="delete_sweep",
        dialog={
            "title": "Drop this delivery",
            "description": "For a delivery that was given up and that nobody needs any more. It is not tried again; "
            "the row and your reason are kept.",
            "form_class": DropDialog,
            "form_submit_text": "Drop",
        },
    )
    def drop(self, request: HttpRequest, form: DropDialog, object_id: str) -> HttpResponse:
        """Let go of the delivery of the page, with the reason from the dialog."""

        def let_go() -> str:
            delivery = Delivery.objects.select_related("event").get(pk=row_id(object_id))
            deliveries.drop(delivery, form.cleaned_data["reason"], operator_of(request))
            return "The delivery was dropped."

        return decided(request, "events_delivery", object_id, let_go)

    @page_action(  # type: ignore[untyped-decorator]
        description="Send what waits now",
        permissions=["retry"],
        icon="send",
        dialog={
            "title": "Send what waits now",
            "description": "For when the mail server is back. Everything that waits for its next try is tried within "
            "seconds; the pauses between tries begin anew. What was given up stays so: retry it in the list.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Send now",
        },
    )
    def send_now(self, request: HttpRequest, form: ConfirmDialog) -> HttpResponse:
        """Make every delivery due that waits."""
        count = deliveries.send_now()
        messages.success(request, f"Deliveries that wait: {count}. They are tried within seconds.")
        address = reverse("admin:events_delivery_changelist")
        # A script sends dialogs and would put a redirect's page into the dialog.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)
