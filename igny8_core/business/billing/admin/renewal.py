"""Console pages of renewals, with the button to try one again."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action as page_action

from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.models import Renewal, RenewalStatus
from igny8_core.business.billing.selectors import Timing, renewals_in_time
from igny8_core.business.billing.services.renewals.retrying import retry_renewal
from igny8_core.common.money import amount_text
from igny8_core.console.columns import badge, moment
from igny8_core.console.dialogs import ConfirmDialog, decided
from igny8_core.console.filters import MomentRangeFilter
from igny8_core.console.pages import ReadOnlyAdmin

RENEWAL_TONES: dict[str, str] = {
    RenewalStatus.OPEN: "warning",
    RenewalStatus.PAID: "success",
    RenewalStatus.BEGUN: "success",
}


class TimingFilter(admin.SimpleListFilter):
    """Open renewals that are due later, and those that are due and unpaid."""

    title = "due"
    parameter_name = "timing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        """What can be chosen."""
        return [(timing.value, str(timing.label)) for timing in Timing]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Renewal]) -> QuerySet[Renewal]:
        """The rows of the choice."""
        chosen = self.value()
        return renewals_in_time(queryset, Timing(chosen)) if chosen and chosen in Timing.values else queryset


@admin.register(Renewal)
class RenewalAdmin(ReadOnlyAdmin):
    """Further periods of subscriptions. They are made, charged and begun by tasks."""

    list_display = (
        *("id", "account", "subscription", "period_from", "period_to", "status_shown"),
        *("total_shown", "declines", "next_charge"),
    )
    list_filter = (
        TimingFilter,
        ("status", ChoicesDropdownFilter),
        ("period_start", MomentRangeFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_select_related = ("account", "subscription__plan", "invoice")
    actions_detail = ("retry",)
    search_fields = ("invoice__invoice_number", "account__name")
    search_help_text = "Search by invoice number or account"
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("account", "subscription"), ("invoice", "total_shown"), ("status_shown", "created"))}),
        ("Period", {"fields": (("period_from", "period_to"), ("begun", "price_change"))}),
        (
            "Charges",
            {
                "fields": (
                    ("next_charge", "last_charge"),
                    ("declines", "last_decline"),
                    ("last_attempt", "charge_takes"),
                )
            },
        ),
    )

    status_shown = badge("status", RENEWAL_TONES)
    period_from = moment("period_start", "period start")
    period_to = moment("period_end", "period end")
    next_charge = moment("next_charge_at", "next charge")
    last_charge = moment("last_charged_at", "last charge")
    begun = moment("begun_at")
    created = moment("created_at")

    @admin.display(description="total")
    def total_shown(self, renewal: Renewal) -> str:
        """What the period costs."""
        return amount_text(renewal.invoice.total, renewal.invoice.currency)

    def has_retry_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see renewals and retry them."""
        return self.has_view_permission(request) and request.user.has_perm("billing.retry_renewal")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The button, while the period has not begun."""
        waits = Renewal.objects.filter(pk=object_id).exclude(status=RenewalStatus.BEGUN).exists()
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return buttons if waits else []

    @page_action(  # type: ignore[untyped-decorator]
        description="Retry now",
        permissions=["retry"],
        icon="refresh",
        dialog={
            "title": "Retry this renewal now",
            "description": "Charges the customer's default card if the period has begun. A renewal whose invoice was "
            "voided is invoiced again. A period that was paid early begins if its time has come.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Retry",
        },
    )
    def retry(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Retry the renewal of the page."""

        def retry() -> str:
            renewal = retry_renewal(Renewal.objects.get(pk=object_id), operator_of(request))
            return f"{renewal} is {renewal.get_status_display().lower()}."

        return decided(request, "billing_renewal", object_id, retry)
