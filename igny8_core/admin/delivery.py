"""Console pages of deliveries of events."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import action as page_action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from igny8_core.auth.models import User
from igny8_core.auth.permissions import operator_of
from igny8_core.common.api.fields import MultilineTextField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import badge, change_url, moment
from igny8_core.console.dialogs import ConfirmDialog, decided, led_to, row_id
from igny8_core.console.pages import LogAdmin
from igny8_core.console.selections import IdsField, joined
from igny8_core.events import consumers, deliveries
from igny8_core.events.models import Delivery, DeliveryStatus

# More than this many are taken in several selections, the oldest first.
MOST_SELECTED = 500
# So many deliveries that were left get a line of their own.
TOLD = 10


class DropInput(StrictSerializer):
    reason = MultilineTextField(max_length=deliveries.LONGEST_REASON)


class DropForm(StrictForm, forms.Form):
    """Asks why nobody needs a delivery any more that was given up."""

    rules = DropInput

    reason = forms.CharField(
        max_length=deliveries.LONGEST_REASON,
        help_text="For other operators. It is kept. Example: The customer was told by telephone.",
        widget=UnfoldAdminTextareaWidget,
        error_messages={"required": "Write down why nobody needs it any more; the log keeps it."},
    )


class DropDialog(DropForm, BaseDialogForm):  # type: ignore[misc]
    """The same for the delivery of a page."""


class SelectedForm(forms.Form):
    """The ids of the selected deliveries in one field."""

    deliveries = IdsField(MOST_SELECTED, "deliveries")


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

    actions = ("retry", "drop_selected")
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

    def get_urls(self) -> list[URLPattern]:
        """The model's pages, and the one that drops a selection."""
        view = self.admin_site.admin_view(self.drop_selected_view)
        return [path("drop/", view, name="events_delivery_drop_selected"), *super().get_urls()]

    @admin.action(description="Drop selected deliveries", permissions=["retry"])
    def drop_selected(self, request: HttpRequest, selected: QuerySet[Delivery]) -> HttpResponse:
        """Show what is to be dropped, and what cannot be, and ask for the reason."""
        oldest = list(selected.select_related("event").order_by("pk")[: MOST_SELECTED + 1])
        context = {"form": DropForm(), "is_cut": len(oldest) > MOST_SELECTED}
        return self._asked_first(request, oldest[:MOST_SELECTED], context)

    def drop_selected_view(self, request: HttpRequest) -> HttpResponse:
        """Let go of the selected deliveries, each by itself; say which ones were left. Raises PermissionDenied."""
        if request.method != "POST" or not self.has_retry_permission(request):
            raise PermissionDenied
        selection, form = SelectedForm(request.POST), DropForm(request.POST)
        ids = selection.cleaned_data["deliveries"] if selection.is_valid() else []
        found = list(Delivery.objects.select_related("event").filter(pk__in=ids).order_by("pk"))
        if not selection.is_valid() or not form.is_valid():
            return self._asked_first(request, found, {"form": form, "selection": selection}, status=400)
        left = _dropped(found, form.cleaned_data["reason"], operator_of(request))
        if len(found) > len(left):
            messages.success(request, f"Deliveries dropped: {len(found) - len(left)}.")
        for sentence in left[:TOLD]:
            messages.warning(request, sentence)
        if len(left) > TOLD:
            messages.warning(request, f"{len(left) - TOLD} more were left as they are.")
        return HttpResponseRedirect(self._list_of(request), status=303)

    def _asked_first(
        self, request: HttpRequest, found: list[Delivery], context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        # Those that will be left stand first.
        found.sort(key=lambda delivery: delivery.status == DeliveryStatus.DEAD)
        list_url = self._list_of(request)
        shared = {
            **self.admin_site.each_context(request),
            "title": "Drop selected deliveries",
            "opts": self.opts,
            "rows": found,
            "count": sum(delivery.status == DeliveryStatus.DEAD for delivery in found),
            "selected": joined(delivery.pk for delivery in found),
            "list_url": list_url,
            "filters": list_url.partition("?")[2],
            "longest": deliveries.LONGEST_REASON,
        }
        return TemplateResponse(request, "admin/events/delivery/drop.html", {**shared, **context}, status=status)

    def _list_of(self, request: HttpRequest) -> str:
        filters = request.POST.get("filters", request.GET.urlencode())
        address = reverse("admin:events_delivery_changelist")
        return f"{address}?{filters}" if filters else address

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
        return led_to(request, address)


def _dropped(found: Iterable[Delivery], reason: str, operator: User) -> list[str]:
    """Drop each; a sentence for each that was left, because somebody changed it meanwhile."""
    left = []
    for delivery in found:
        try:
            deliveries.drop(delivery, reason, operator)
        except TransitionNotAllowed as refusal:
            left.append(f"Delivery {delivery.pk}: {refusal.text}")
    return left
