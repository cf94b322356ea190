"""Console pages of refunds through gateways."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from igny8_core.business.billing.models import Refund, RefundStatus
from igny8_core.console.columns import badge, moment, money
from igny8_core.console.filters import MomentRangeFilter
from igny8_core.console.pages import ReadOnlyAdmin

REFUND_TONES: dict[str, str] = {
    RefundStatus.PENDING: "info",
    RefundStatus.PROCESSING: "info",
    RefundStatus.UNKNOWN: "danger",
    RefundStatus.SUCCEEDED: "success",
    RefundStatus.FAILED: "danger",
}


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Refunds through gateways. Operators order them on the payment's page."""

    list_display = ("id", "payment", "account", "amount_shown", "status_shown", "reason", "requested_by", "created")
    list_filter = (("status", ChoicesDropdownFilter), ("created_at", MomentRangeFilter))
    list_select_related = ("account", "payment", "requested_by")
    search_fields = ("gateway_refund_id__exact", "payment__invoice__invoice_number", "account__name")
    search_help_text = "Search by refund ID at the gateway, invoice number or account"
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("payment", "account"), ("amount_shown", "status_shown"), ("requested_by", "created"))}),
        ("Outcome", {"fields": ("reason", "is_return", "credit_note", "failure_reason", "finished")}),
        ("Gateway", {"fields": ("uuid", "gateway_refund_id", ("checks", "next_check"))}),
    )

    amount_shown = money("amount")
    status_shown = badge("status", REFUND_TONES)
    created = moment("created_at")
    finished = moment("finished_at")
    next_check = moment("next_check_at")
