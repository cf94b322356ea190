"""Console pages of decisions about many payments at once: what was ordered, and what became of each payment."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from igny8_core.business.billing.models import BulkDecision, BulkDecisionRow
from igny8_core.console.columns import choice, moment
from igny8_core.console.pages import LogAdmin


@admin.register(BulkDecision)
class BulkDecisionAdmin(LogAdmin):
    """Decisions about many payments, newest first, each with its report."""

    list_display = ("id", "decision_shown", "decided_by", "status_shown", "ordered", "finished", "report")
    list_filter = (("decision", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter))
    list_select_related = ("decided_by",)
    search_fields = ("id__exact", "decided_by__email")
    search_help_text = "Search by number, or by the e-mail of who decided"
    fieldsets = (
        (None, {"fields": (("decision_shown", "status_shown"), "decided_by", ("ordered", "finished"), "report")}),
        ("Words", {"fields": ("note", "override_duplicate", ("reason_code", "reason"))}),
        ("Work", {"fields": (("attempts", "next_try"), "last_error")}),
    )

    decision_shown = choice("decision")
    status_shown = choice("status")
    ordered = moment("created_at")
    finished = moment("finished_at")
    next_try = moment("next_attempt_at")

    @display(description="report")  # type: ignore[untyped-decorator]
    def report(self, bulk: BulkDecision) -> str:
        """The page that tells what became of each payment."""
        address = reverse("admin:billing_payment_decided", args=[bulk.pk])
        return format_html('<a class="text-link" href="{}">What became of each payment</a>', address)


@admin.register(BulkDecisionRow)
class BulkDecisionRowAdmin(LogAdmin):
    """What became of each payment that was decided with others."""

    list_display = ("id", "bulk", "payment", "result_shown", "outcome")
    list_filter = (("result", ChoicesDropdownFilter),)
    list_select_related = ("bulk", "payment")
    search_fields = ("bulk__id__exact", "payment__id__exact")
    search_help_text = "Search by number of the decision or of the payment"
    fields = (("bulk", "payment"), ("result_shown", "outcome"), "caution", "seen_repeats")

    result_shown = choice("result")
