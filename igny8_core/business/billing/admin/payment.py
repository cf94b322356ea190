"""Console pages of payments: the list with its bulk actions, and each payment with its buttons."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant

from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.admin.payment_bulk import DecidesSeveral
from igny8_core.business.billing.admin.payment_decisions import (
    OrderAgainDialog,
    RefundDialog,
    decide_each,
    payment_with_id,
)
from igny8_core.business.billing.admin.payment_gateways import gateway_buttons
from igny8_core.business.billing.models import GATEWAY_METHODS, CreditNote, LineKind, Payment, PaymentStatus
from igny8_core.business.billing.payment_repeats import repeats_of
from igny8_core.business.billing.payment_search import payments_matching
from igny8_core.business.billing.services.refunds.refunding import process_refund
from igny8_core.business.billing.services.subscriptions.decisions import order_again
from igny8_core.common.links import why_not_public_https
from igny8_core.common.money import amount_text
from igny8_core.console.columns import EMPTY, change_url, choice, json_block, label, moment, money, waiting
from igny8_core.console.dialogs import back_to, decided
from igny8_core.console.filters import MomentRangeFilter

PAYMENT_TONES = {
    PaymentStatus.PENDING_APPROVAL: "warning",
    PaymentStatus.PENDING: "info",
    PaymentStatus.PROCESSING: "info",
    PaymentStatus.UNKNOWN: "danger",
    PaymentStatus.SUCCEEDED: "success",
    PaymentStatus.FAILED: "danger",
    PaymentStatus.DISPUTED: "danger",
}


# The buttons of a payment, by its status.
BUTTONS = {
    PaymentStatus.PENDING_APPROVAL: frozenset({"check", "again"}),
    PaymentStatus.SUCCEEDED: frozenset({"refund"}),
    PaymentStatus.PARTIALLY_REFUNDED: frozenset({"refund"}),
}


# Parts of the page that are for one kind of payment alone.
FROM_CUSTOMER, AT_GATEWAY = "Customer's confirmation", "Gateway"


@admin.register(Payment)
class PaymentAdmin(DecidesSeveral):
    """Payments. Their status changes by the actions, which call the same services as the API."""

    list_display = (
        "id",
        "invoice_number",
        "account",
        "amount_shown",
        "status_shown",
        "waits",
        "method",
        "reference",
        "approved_by",
        "created",
        "processed",
    )
    list_display_links = ("id", "invoice_number")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("payment_method", ChoicesDropdownFilter),
        ("needs_review", BooleanRadioFilter),
        ("is_repeated", BooleanRadioFilter),
        ("account", AutocompleteSelectFilter),
        ("created_at", MomentRangeFilter),
        ("processed_at", MomentRangeFilter),
        ("failed_at", MomentRangeFilter),
    )
    list_select_related = ("account", "invoice", "approved_by")
    list_fullwidth = True
    search_fields = (
        "manual_reference",
        "admin_notes",
        "internal_note",
        "manual_notes",
        "invoice__invoice_number",
        "account__name",
    )
    search_help_text = "Search by reference in any spelling, amount, payer, notes, invoice number or account"
    ordering = ("-id",)
    actions = ("approve_selected", "reject_selected")
    actions_detail = ("to_check", "order_again", "refund", "ask", "giveback")
    fieldsets = (
        (
            None,
            {"fields": (("invoice", "account"), ("amount_shown", "status_shown"), ("method", "created"), "review")},
        ),
        (
            FROM_CUSTOMER,
            {
                "fields": (
                    "reference",
                    "repeats_shown",
                    ("transferred_on", "payer_name"),
                    "manual_notes",
                    "proof_link",
                    "proof_file",
                )
            },
        ),
        (
            "Decision",
            {
                "fields": (
                    ("approved_by", "approved"),
                    ("processed", "failed"),
                    "failure_reason",
                    "internal_note",
                    "admin_notes",
                )
            },
        ),
        ("Refunds", {"fields": ("refunded_shown", "credit_notes_shown", "refunds_shown", "disputes_shown")}),
        (
            AT_GATEWAY,
            {
                "fields": (
                    "uuid",
                    ("gateway_object_id", "gateway_capture_id"),
                    ("checks", "next_check"),
                    "metadata_shown",
                ),
            },
        ),
    )

    amount_shown = money("amount")
    refunded_shown = money("refunded_amount", "refunded")
    method = choice("payment_method", "method")
    created = moment("created_at")
    waits = waiting("created_at", lambda row: row.status == PaymentStatus.PENDING_APPROVAL, "waits", late_days=2)
    approved = moment("approved_at", "decided")
    processed = moment("processed_at")
    failed = moment("failed_at")
    next_check = moment("next_check_at")
    metadata_shown = json_block("metadata")

    @admin.display(description="invoice", ordering="invoice__invoice_number")
    def invoice_number(self, payment: Payment) -> str:
        """The number of the payment's invoice."""
        return payment.invoice.invoice_number

    @admin.display(description="status", ordering="status")
    def status_shown(self, payment: Payment) -> str:
        """The status, and a red label if the payment needs review."""
        status = label(payment.get_status_display(), PAYMENT_TONES.get(PaymentStatus(payment.status), ""))
        return format_html("{} {}", status, label("Needs review", "danger") if payment.needs_review else "")

    @admin.display(description="reference", ordering="manual_reference")
    def reference(self, payment: Payment) -> str:
        """The customer's reference, with a red label if another payment has the same one, or the same proof."""
        if not payment.is_flagged_duplicate:
            return payment.manual_reference or EMPTY
        # Of the first of the two it is not noted which one came after it; its page lists them.
        other = payment.metadata.get("duplicate_of")
        text = f"same as payment {other}" if other else "repeated"
        repeats = label(text, "danger", change_url("billing_payment", other or payment.pk))
        return format_html('<span class="console-reference">{} {}</span>', payment.manual_reference, repeats)

    @admin.display(description="same transfer")
    def repeats_shown(self, payment: Payment) -> str:
        """The other payments with the same reference or proof, each with a link, its account and its status."""
        others = [
            (
                change_url("billing_payment", repeat.payment.pk),
                repeat.payment.pk,
                repeat.payment.account.name,
                repeat.payment.get_status_display(),
                repeat.same_text,
            )
            for repeat in repeats_of(payment)
        ]
        line = '<div><a class="text-link" href="{}">Payment {}</a> of {}, {}: same {}</div>'
        return format_html_join("", line, others) or EMPTY

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        """Also finds what the API's search finds: a reference in any spelling, an amount, the payer."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if search_term.strip():
            found |= payments_matching(queryset, search_term.strip())
        return found, may_repeat

    @admin.display(description="credit notes")
    def credit_notes_shown(self, payment: Payment) -> str:
        """The credit notes of the payment, each with a link and its amount."""
        notes = [
            (change_url("billing_creditnote", note.pk), note, amount_text(note.amount, note.currency))
            for note in payment.credit_notes.order_by("pk")
        ]
        return format_html_join("", '<div><a class="text-link" href="{}">{}</a>, {}</div>', notes) or EMPTY

    @admin.display(description="link to a proof")
    def proof_link(self, payment: Payment) -> str:
        """The customer's link, written out, so that operators see where it leads before they open it."""
        if not payment.proof_url or why_not_public_https(payment.proof_url):
            return payment.proof_url or EMPTY
        link = '<a class="text-link" href="{0}" rel="noopener noreferrer nofollow" target="_blank">{0}</a>'
        return format_html(link, payment.proof_url)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leaves out the part that is empty for this kind of payment."""
        is_collected = isinstance(obj, Payment) and obj.payment_method in GATEWAY_METHODS
        unused = FROM_CUSTOMER if is_collected else AT_GATEWAY
        return [part for part in super().get_fieldsets(request, obj) if part[0] != unused]

    def has_order_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may decide payments and change customers' plans: the button does both."""
        may_change = request.user.has_perm("igny8_auth.change_subscription_plan")
        return self.has_approve_permission(request) and may_change

    def has_refund_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see and refund payments."""
        return self.has_view_permission(request) and request.user.has_perm("billing.refund_payment")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons that fit the payment's status."""
        payment = payment_with_id(object_id).first()
        offered = BUTTONS.get(PaymentStatus(payment.status), frozenset()) if payment else frozenset()
        offered |= gateway_buttons(payment) if payment else frozenset()
        if payment is None or not payment.invoice.lines.filter(kind=LineKind.PLAN_CHANGE).exists():
            offered -= {"again"}
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [button for button in buttons if button.action_name.rpartition("_")[2] in offered]

    @admin.action(description="Approve selected manual payments", permissions=["approve"])
    def approve_selected(self, request: HttpRequest, payments: QuerySet[Payment]) -> HttpResponse:
        """Show what is to be approved, with its sum and what needs a look, and ask."""
        return self.before_deciding(request, "approve", payments)

    @admin.action(description="Reject selected manual payments", permissions=["approve"])
    def reject_selected(self, request: HttpRequest, payments: QuerySet[Payment]) -> HttpResponse:
        """The same before a rejection, which needs the reason that the customers read."""
        return self.before_deciding(request, "reject", payments)

    @page_action(  # type: ignore[untyped-decorator]
        description="Check and decide",
        permissions=["approve"],
        url_path="to-check",
        icon="fact_check",
        variant=ActionVariant.SUCCESS,
    )
    def to_check(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leads to the page with all that a decision rests on, where the payment is approved or rejected."""
        return HttpResponseRedirect(reverse("admin:billing_payment_check", args=[object_id]))

    @page_action(  # type: ignore[untyped-decorator]
        description="Void and order again",
        permissions=["order"],
        url_path="order-again",
        icon="restart_alt",
        dialog={
            "title": "Void this order and order the change of plan again",
            "description": "For money that arrived when the quoted price had expired. The invoice is voided, this "
            "payment is rejected, and the change of plan is ordered again at today's price. The customer is told by "
            "e-mail. Refund the money, or count it towards the new invoice, by hand.",
            "form_class": OrderAgainDialog,
            "form_submit_text": "Void and order again",
        },
    )
    def order_again(self, request: HttpRequest, form: OrderAgainDialog, object_id: str) -> HttpResponse:
        """Void the order that the page's payment is for, and order the change of plan again."""

        def again() -> str:
            payment = payment_with_id(object_id).get()
            change = order_again(payment, operator_of(request), form.cleaned_data["note"])
            return f"The order was voided and placed again. {change.text}"

        return decided(request, "billing_payment", object_id, again)

    @page_action(  # type: ignore[untyped-decorator]
        description="Refund",
        permissions=["refund"],
        icon="undo",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Refund this payment",
            "description": "Card and PayPal money is returned by the gateway now. Send other money back before you "
            "confirm. The customer gets a credit note by e-mail, and unspent credits of this payment are taken back. "
            "This cannot be undone.",
            "form_class": RefundDialog,
            "form_submit_text": "Refund",
        },
    )
    def refund(self, request: HttpRequest, form: RefundDialog, object_id: str) -> HttpResponse:
        """Refund the payment of the page, as the dialog says."""
        require_confirmed_operator(request)
        _refund(request, payment_with_id(object_id), form.cleaned_data)
        return back_to(request, "billing_payment", object_id)


def _refund(request: HttpRequest, payments: QuerySet[Payment], refund: dict[str, Any]) -> None:
    operator, notes = operator_of(request), list[CreditNote]()
    report = decide_each(
        payments,
        lambda payment: notes.append(
            process_refund(
                payment,
                refund["amount"],
                reason=refund["reason"],
                reference=refund["reference"],
                refunded_by=operator,
                left=refund["left"],
            )
        ),
    )
    for note in notes:
        messages.success(request, f"Refunded {amount_text(note.amount, note.currency)} with credit note {note}.")
    report.warn(request)
