"""Console pages of disputes."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from igny8_core.business.billing.models import Dispute, DisputeStatus
from igny8_core.console.columns import badge, choice, moment, money
from igny8_core.console.filters import MomentRangeFilter
from igny8_core.console.pages import ReadOnlyAdmin

DISPUTE_TONES: dict[str, str] = {
    DisputeStatus.OPEN: "warning",
    DisputeStatus.WON: "success",
    DisputeStatus.LOST: "danger",
}


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """Disputes at the gateways. Operators answer them in the gateway's own dashboard."""

    list_display = (
        "id",
        "payment",
        "account",
        "amount_shown",
        "status_shown",
        "at_gateway",
        "reason",
        "opened",
        "closed",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("opened_at", MomentRangeFilter),
        ("closed_at", MomentRangeFilter),
    )
    list_select_related = ("account", "payment")
    search_fields = ("gateway_dispute_id__exact", "payment__invoice__invoice_number", "account__name")
    search_help_text = "Search by dispute ID at the gateway, invoice number or account"
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("payment", "account"), ("amount_shown", "status_shown"), "reason")}),
        ("Outcome", {"fields": ("outcome", "refund", "closed")}),
        ("Gateway", {"fields": (("at_gateway", "gateway_dispute_id"), ("opened", "created"))}),
    )

    amount_shown = money("amount")
    status_shown = badge("status", DISPUTE_TONES)
    at_gateway = choice("gateway")
    opened = moment("opened_at")
    closed = moment("closed_at")
    created = moment("created_at", "recorded")
