"""Console pages of deliveries of events."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import action as page_action

from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.console.columns import badge, moment
from igny8_core.console.dialogs import ConfirmDialog
from igny8_core.console.pages import LogAdmin
from igny8_core.events import deliveries
from igny8_core.events.models import Delivery, DeliveryStatus

DELIVERY_TONES = {DeliveryStatus.WAITING: "info", DeliveryStatus.DONE: "success", DeliveryStatus.DEAD: "danger"}


@admin.register(Delivery)
class DeliveryAdmin(LogAdmin):
    """Deliveries of events: the e-mails and webhooks that events cause."""

    list_display = ("id", "event", "consumer", "status_shown", "attempts", "next_attempt", "last_error")
    list_filter = (("status", ChoicesDropdownFilter), ("consumer", FieldTextFilter))
    list_select_related = ("event",)
    search_fields = ("event__type__startswith", "consumer__exact")
    search_help_text = "Search by type of the event, such as payment.approved, or by consumer"
    ordering = ("-id",)
    fields = ("event", "consumer", "status_shown", "attempts", "next_attempt", "last_error")

    actions = ("retry",)
    actions_list = ("send_now",)

    status_shown = badge("status", DELIVERY_TONES)
    next_attempt = moment("next_attempt_at")

    def has_retry_permission(self, request: HttpRequest) -> bool:
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
