"""Console pages of invoices."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import action as page_action

from igny8_core.business.billing.admin.payment_decisions import ConfirmDialog, back_to, operator_of
from igny8_core.business.billing.models import Allocation, Invoice, InvoiceCounter, InvoiceLine, InvoiceStatus, LineKind
from igny8_core.business.billing.serializers import InvoiceNotesInput
from igny8_core.business.billing.services.invoices.pay_links import pay_link, withdraw_pay_links
from igny8_core.business.billing.services.payments.checkout import charge_saved_card
from igny8_core.common.errors import DomainError
from igny8_core.common.money import amount_text
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import EMPTY, badge, change_url, json_block, moment, money
from igny8_core.console.pages import ConsoleAdmin, LogAdmin, ModelForm, ReadOnlyAdmin, ReadOnlyInline

INVOICE_TONES = {
    InvoiceStatus.PENDING: "warning",
    InvoiceStatus.PAID: "success",
    InvoiceStatus.UNCOLLECTIBLE: "danger",
}

LINE_TONES = {LineKind.PLAN: "info", LineKind.PLAN_CHANGE: "info", LineKind.CREDIT_PACKAGE: "success"}


class InvoiceLineInline(ReadOnlyInline):
    """What the invoice sells, a line each."""

    model = InvoiceLine
    hide_title = True  # the description, which is a column
    fields = ("position", "kind", "description", "quantity", "each", "in_all", "plan", "package", "credits")
    readonly_fields = ("each", "in_all")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InvoiceLine]:
        """With what is shown of other rows."""
        return super().get_queryset(request).select_related("invoice", "plan", "package")

    each = money("unit_amount", "price of one")
    in_all = money("line_total", "total")


class InvoiceForm(StrictForm, ModelForm):
    """The notes of an invoice as the API takes them."""

    rules = InvoiceNotesInput


@admin.register(Invoice)
class InvoiceAdmin(ConsoleAdmin):
    """Invoices. They state what was agreed: only the notes of an open one can be written."""

    form = InvoiceForm
    list_display = ("invoice_number", "account", "status_shown", "total_shown", "date", "due", "paid")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("invoice_date", RangeDateFilter),
        ("due_date", RangeDateFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_select_related = ("account",)
    inlines = (InvoiceLineInline,)
    actions_detail = ("charge", "withdraw_links")
    search_fields = ("invoice_number", "account__name")
    search_help_text = "Invoice number, account"
    date_hierarchy = "invoice_date"
    fieldsets = (
        (None, {"fields": (("invoice_number", "status_shown"), ("account", "subscription"))}),
        (
            "Amount",
            {
                "fields": (
                    ("subtotal_shown", "tax_shown", "total_shown"),
                    ("settled_shown", "allocations_shown"),
                )
            },
        ),
        ("Dates", {"fields": (("date", "due"), ("paid", "created"))}),
        ("Paying", {"fields": ("pay_link_shown",)}),
        ("Notes", {"fields": ("notes", "void_reason")}),
        ("As it was when the invoice was made", {"fields": ("metadata_shown",)}),
    )
    readonly_fields = (
        "invoice_number",
        "status_shown",
        "account",
        "subscription",
        "subtotal_shown",
        "tax_shown",
        "total_shown",
        "settled_shown",
        "allocations_shown",
        "date",
        "due",
        "paid",
        "created",
        "void_reason",
        "pay_link_shown",
        "metadata_shown",
    )

    status_shown = badge("status", INVOICE_TONES)
    subtotal_shown = money("subtotal")
    tax_shown = money("tax")
    total_shown = money("total")
    settled_shown = money("settled_amount")
    paid = moment("paid_at")
    created = moment("created_at")
    metadata_shown = json_block("metadata")

    def get_inline_instances(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """The lines, which no form changes: one that is sent without them is complete."""
        has_lines = request.method != "POST" or "lines-TOTAL_FORMS" in request.POST
        return super().get_inline_instances(request, obj) if has_lines else []

    @admin.display(description="date", ordering="invoice_date")
    def date(self, invoice: Invoice) -> str:
        """The date of the invoice."""
        return invoice.invoice_date.isoformat()

    @admin.display(description="due", ordering="due_date")
    def due(self, invoice: Invoice) -> str:
        """When it is to be paid."""
        return invoice.due_date.isoformat()

    @admin.display(description="settled by")
    def allocations_shown(self, invoice: Invoice) -> str:
        """What stands, or stood, against the invoice, each with its payment."""
        rows = [
            (
                change_url("billing_payment", row.payment_id),
                f"Payment {row.payment_id}",
                amount_text(row.amount, row.currency),
                f"{row.created_at:%Y-%m-%d}" + (f", released: {row.release_reason}" if row.released_at else ""),
            )
            for row in invoice.allocations.order_by("pk")
            if row.payment_id
        ]
        return format_html_join("", '<div><a class="text-link" href="{}">{}</a>, {}, {}</div>', rows) or EMPTY

    @admin.display(description="payment page")
    def pay_link_shown(self, invoice: Invoice) -> str:
        """The link with which the customer can pay, and see the receipt, without logging in."""
        # The address itself is wider than a phone.
        link = '<a class="text-link" href="{}" rel="noopener" target="_blank">Open, or copy its address</a>'
        return format_html(link, pay_link(invoice))

    def has_charge_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see invoices and charge saved cards."""
        return self.has_view_permission(request) and request.user.has_perm("billing.charge_invoice")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Charging is for open invoices; links are withdrawn of any."""
        is_open = Invoice.objects.filter(pk=object_id, status=InvoiceStatus.PENDING).exists()
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [button for button in buttons if is_open or not button.action_name.endswith("charge")]

    def has_withdraw_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see and change invoices."""
        return self.has_view_permission(request) and request.user.has_perm("billing.change_invoice")

    @page_action(  # type: ignore[untyped-decorator]
        description="Withdraw the links",
        permissions=["withdraw"],
        url_path="withdraw-links",
        icon="link_off",
        dialog={
            "title": "Withdraw every link to this invoice",
            "description": "For a link that came into the wrong hands. Whoever opens one that was mailed or copied so "
            "far is told that it was withdrawn. Send the invoice again, or copy its new link from this page.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Withdraw",
        },
    )
    def withdraw_links(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Make the links of the page's invoice open nothing any more."""
        invoice = Invoice.objects.select_related("account").get(pk=object_id)
        withdraw_pay_links(invoice, operator_of(request))
        messages.success(request, f"The links to {invoice} were withdrawn. The one on this page is new.")
        return back_to(request, "billing_invoice", object_id)

    @page_action(  # type: ignore[untyped-decorator]
        description="Charge the saved card",
        permissions=["charge"],
        icon="credit_card",
        dialog={
            "title": "Charge the customer's saved card",
            "description": "The whole invoice is charged now, to the default card or the one saved last. Where the "
            "bank wants the customer, they get a mail with a link to pay, and nothing is charged.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Charge",
        },
    )
    def charge(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Charge the invoice of the page off-session."""
        invoice = Invoice.objects.select_related("account").get(pk=object_id)
        try:
            payment = charge_saved_card(invoice, operator_of(request)).payment
        except DomainError as refusal:
            messages.warning(request, refusal.text)
        else:
            messages.success(request, f"{payment} is {payment.get_status_display().lower()}.")
        return back_to(request, "billing_invoice", object_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: orders and renewals make invoices."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: a number once given is kept."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who may change invoices, while the invoice is not final."""
        if isinstance(obj, Invoice) and obj.status in (InvoiceStatus.PAID, InvoiceStatus.VOID):
            return False
        return super().has_change_permission(request, obj)


@admin.register(Allocation)
class AllocationAdmin(LogAdmin):
    """What stands, or stood, against invoices, over all of them."""

    list_display = ("id", "invoice", "payment", "kind", "amount_shown", "made_by", "made", "released")
    list_filter = (("created_at", RangeDateFilter),)
    list_select_related = ("invoice", "payment", "made_by")
    search_fields = ("invoice__invoice_number",)
    search_help_text = "Number of the invoice"
    fieldsets = (
        (None, {"fields": (("invoice", "payment"), ("kind", "amount_shown"), ("made_by", "made"))}),
        ("Released", {"fields": (("released", "release_reason"),)}),
    )

    amount_shown = money("amount")
    made = moment("created_at", "made")
    released = moment("released_at")


@admin.register(InvoiceLine)
class InvoiceLineAdmin(LogAdmin):
    """What was sold, over all invoices."""

    list_display = (
        "id",
        "invoice",
        "position",
        "kind_shown",
        "description",
        "quantity",
        "each",
        "plan",
        "package",
    )
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("invoice", "plan", "package")
    search_fields = ("invoice__invoice_number",)
    search_help_text = "Number of the invoice"
    fieldsets = (
        (None, {"fields": (("invoice", "position"), "kind_shown", "description")}),
        ("Amount", {"fields": (("quantity", "each", "in_all"), ("tax_rate", "tax_category", "tax_shown"))}),
        (
            "What was sold",
            {
                "fields": (
                    ("plan", "package"),
                    ("billing_cycle", "from_moment", "to_moment"),
                    ("credits", "credits_rollover", "valid_days"),
                    ("max_sites", "max_users"),
                    ("period_price_shown", "period_credits", "restarts_period"),
                )
            },
        ),
    )

    kind_shown = badge("kind", LINE_TONES)
    each = money("unit_amount", "price of one")
    in_all = money("line_total", "total")
    tax_shown = money("tax_amount", "tax amount")
    period_price_shown = money("period_price", "period price")
    from_moment = moment("period_start", "from")
    to_moment = moment("period_end", "to")


@admin.register(InvoiceCounter)
class InvoiceCounterAdmin(ReadOnlyAdmin):
    """Last number of each account, series and month."""

    list_display = ("account", "series", "month", "last_number")
    list_filter = (("account", AutocompleteSelectFilter),)
    list_select_related = ("account",)
    search_fields = ("account__name", "month__exact")
    ordering = ("-month", "account_id")
    fields = ("account", "series", "month", "last_number")
