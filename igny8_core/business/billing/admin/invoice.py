"""Console pages of invoices."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import action as page_action

from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.admin.documents import ShowsDocument
from igny8_core.business.billing.admin.invoice_builder import WritesInvoices
from igny8_core.business.billing.admin.invoice_bulk import DecidesInvoices
from igny8_core.business.billing.admin.invoice_corrections import (
    BuyerDialog,
    CreditDialog,
    credited,
    existing,
    invoice_with_id,
    refused_buttons,
    with_right_buyer,
)
from igny8_core.business.billing.admin.later_day import LaterDayDialog
from igny8_core.business.billing.models import Allocation, Invoice, InvoiceLine, InvoiceStatus
from igny8_core.business.billing.serializers import InvoiceNotesInput
from igny8_core.business.billing.services.dunning.pauses import extend_deadline
from igny8_core.business.billing.services.invoices.lifecycle import send_again
from igny8_core.business.billing.services.invoices.pay_links import pay_link, withdraw_pay_links
from igny8_core.business.billing.services.invoices.pdf import render_invoice
from igny8_core.business.billing.services.payments.checkout import charge_saved_card
from igny8_core.common.money import amount_text
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import EMPTY, badge, change_url, json_block, moment, money
from igny8_core.console.dialogs import ConfirmDialog, decided
from igny8_core.console.pages import ModelForm, ReadOnlyInline

INVOICE_TONES = {
    InvoiceStatus.PENDING: "warning",
    InvoiceStatus.PAID: "success",
    InvoiceStatus.UNCOLLECTIBLE: "danger",
}


class InvoiceLineInline(ReadOnlyInline):
    """The lines of the invoice."""

    model = InvoiceLine
    hide_title = True  # the description, which is a column
    fields = ("position", "kind", "description", "quantity", "each", "in_all", "plan", "package", "credits")
    readonly_fields = ("each", "in_all")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InvoiceLine]:
        """The lines, with the related rows that are shown."""
        return super().get_queryset(request).select_related("invoice", "plan", "package")

    each = money("unit_amount", "unit price")
    in_all = money("line_total", "total")


class InvoiceForm(StrictForm, ModelForm):
    """The notes of an invoice, validated by InvoiceNotesInput."""

    rules = InvoiceNotesInput


@admin.register(Invoice)
class InvoiceAdmin(WritesInvoices, DecidesInvoices, ShowsDocument):
    """Invoices. Of an issued one operators can edit the notes while it is open, and nothing else."""

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
    actions = ("send_selected", "void_selected")
    actions_detail = ("send", "charge", "extend_deadline", "withdraw_links", "credit", "correct")
    search_fields = ("invoice_number", "account__name", "purchase_order_number")
    search_help_text = "Search by invoice number, account or purchase order"
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
        ("Dates", {"fields": (("date", "due"), ("paid", "created"), "purchase_order_number")}),
        ("Corrections", {"fields": (("corrects", "corrected_by"), "credit_notes_shown")}),
        ("Payment page", {"fields": ("pay_link_shown",)}),
        ("Notes", {"fields": ("notes", "void_reason")}),
        ("Document", {"fields": ("document",)}),
        ("Details stored with the invoice", {"fields": ("metadata_shown",)}),
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
        "purchase_order_number",
        "corrects",
        "corrected_by",
        "credit_notes_shown",
        "void_reason",
        "pay_link_shown",
        "document",
        "metadata_shown",
    )

    status_shown = badge("status", INVOICE_TONES)
    subtotal_shown = money("subtotal")
    tax_shown = money("tax")
    total_shown = money("total")
    settled_shown = money("settled_amount", "settled")
    paid = moment("paid_at")
    created = moment("created_at")
    metadata_shown = json_block("metadata")

    def get_inline_instances(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """The lines, unless a form is sent without them: no form changes lines."""
        has_lines = request.method != "POST" or "lines-TOTAL_FORMS" in request.POST
        return super().get_inline_instances(request, obj) if has_lines else []

    @admin.display(description="date", ordering="invoice_date")
    def date(self, invoice: Invoice) -> str:
        """The invoice date, as YYYY-MM-DD."""
        return invoice.invoice_date.isoformat()

    @admin.display(description="due", ordering="due_date")
    def due(self, invoice: Invoice) -> str:
        """The due date, as YYYY-MM-DD."""
        return invoice.due_date.isoformat()

    @admin.display(description="settled by")
    def allocations_shown(self, invoice: Invoice) -> str:
        """The allocations of the invoice, current and released, each with a link to its payment or credit note."""
        rows = [
            (
                *_what_settles(row),
                amount_text(row.amount, row.currency),
                f"{row.created_at:%Y-%m-%d}" + (f", released: {row.release_reason}" if row.released_at else ""),
            )
            for row in invoice.allocations.select_related("credit_note").order_by("pk")
        ]
        return format_html_join("", '<div><a class="text-link" href="{}">{}</a>, {}, {}</div>', rows) or EMPTY

    @admin.display(description="corrects")
    def corrects(self, invoice: Invoice) -> str:
        """The invoice that this one corrects."""
        return _link_to(invoice.replaces)

    @admin.display(description="corrected by")
    def corrected_by(self, invoice: Invoice) -> str:
        """The invoice that corrects this one."""
        return _link_to(invoice.replaced_by)

    @admin.display(description="credit notes")
    def credit_notes_shown(self, invoice: Invoice) -> str:
        """The credit notes of the invoice, each with a link, and what is left of it."""
        notes = [
            (change_url("billing_creditnote", note.pk), note, amount_text(note.amount, note.currency), note.reason)
            for note in invoice.credit_notes.order_by("pk")
        ]
        return format_html_join("", '<div><a class="text-link" href="{}">{}</a>, {}: {}</div>', notes) or EMPTY

    def drawn(self, row: Invoice) -> bytes:
        """The invoice's PDF."""
        return render_invoice(row)

    @admin.display(description="link")
    def pay_link_shown(self, invoice: Invoice) -> str:
        """The link with which the customer can pay, and see the receipt, without logging in."""
        # The address itself is wider than a phone.
        link = '<a class="text-link" href="{}" rel="noopener" target="_blank">Open, or copy its address</a>'
        return format_html(link, pay_link(invoice))

    def has_charge_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see invoices and charge saved cards for them."""
        return self.has_view_permission(request) and request.user.has_perm("billing.charge_invoice")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons that fit the invoice's status; links are withdrawn of any."""
        invoice = invoice_with_id(object_id)
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        hidden = refused_buttons(invoice, may_refund=request.user.has_perm("billing.refund_payment")) if invoice else ()
        return [button for button in buttons if not button.action_name.endswith(hidden)]

    def has_send_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see and change invoices."""
        return self.has_withdraw_permission(request)

    def has_void_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see and void invoices."""
        return self.has_view_permission(request) and request.user.has_perm("billing.void_invoice")

    def has_correct_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see and correct invoices."""
        return self.has_view_permission(request) and request.user.has_perm("billing.correct_invoice")

    @admin.action(description="Send selected invoices to their customers", permissions=["send"])
    def send_selected(self, request: HttpRequest, invoices: QuerySet[Invoice]) -> HttpResponse:
        """Show what is to be sent, and what cannot be, and ask."""
        return self.before_deciding(request, "send", invoices)

    @admin.action(description="Void selected invoices", permissions=["void"])
    def void_selected(self, request: HttpRequest, invoices: QuerySet[Invoice]) -> HttpResponse:
        """The same before invoices are voided, which needs a reason."""
        return self.before_deciding(request, "void", invoices)

    @page_action(  # type: ignore[untyped-decorator]
        description="Send",
        permissions=["send"],
        icon="send",
        dialog={
            "title": "Send this invoice to the customer",
            "description": "By e-mail, with its PDF and how to pay.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Send",
        },
    )
    def send(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Mail the invoice of the page to its customer."""

        def send() -> str:
            invoice = send_again(existing(object_id), operator_of(request))
            return f"{invoice} is on its way to {invoice.account.address_for_mail}."

        return decided(request, "billing_invoice", object_id, send)

    @page_action(  # type: ignore[untyped-decorator]
        description="Credit note",
        permissions=["correct"],
        icon="undo",
        dialog={
            "title": "Write a credit note for this invoice",
            "description": "The invoice itself stays as it is. An unpaid one is taken back as a whole and becomes "
            "void. Of a paid one money goes back: card and PayPal money through the gateway now, other money by your "
            "own transfer; unspent credits that it bought are taken back, and the customer is told by e-mail.",
            "form_class": CreditDialog,
            "form_submit_text": "Write the credit note",
        },
    )
    def credit(self, request: HttpRequest, form: CreditDialog, object_id: str) -> HttpResponse:
        """Write a credit note for the invoice of the page."""

        def credit() -> str:
            note = credited(request, existing(object_id), form.cleaned_data)
            return f"Credit note {note} over {amount_text(note.amount, note.currency)} was written."

        return decided(request, "billing_invoice", object_id, credit)

    @page_action(  # type: ignore[untyped-decorator]
        description="Correct the buyer",
        permissions=["correct"],
        icon="contact_page",
        dialog={
            "title": "Correct whom this invoice is addressed to",
            "description": "A new invoice with the same lines takes its place. An unpaid one becomes void; a paid one "
            "gets a credit note that pays the new one, and no money moves. The account keeps its own details: change "
            "them on its page, so that later invoices are right.",
            "form_class": BuyerDialog,
            "form_submit_text": "Correct",
        },
    )
    def correct(self, request: HttpRequest, form: BuyerDialog, object_id: str) -> HttpResponse:
        """Put an invoice with the right buyer in the place of the page's, and show that one."""
        corrected = object_id

        def correct() -> str:
            nonlocal corrected
            invoice = existing(object_id)
            new = with_right_buyer(request, invoice, form.cleaned_data)
            corrected = str(new.pk)
            return f"Invoice {new} corrects {invoice}."

        return decided(request, "billing_invoice", lambda: corrected, correct)

    def has_decide_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see invoices and extend deadlines."""
        return self.has_view_permission(request) and request.user.has_perm("igny8_auth.decide_dunning")

    @page_action(  # type: ignore[untyped-decorator]
        description="Extend the deadline",
        permissions=["decide"],
        url_path="extend-deadline",
        icon="more_time",
        dialog={
            "title": "Give the customer more time to pay",
            "description": "Until the end of the day nothing is done about this invoice. Its due date stays on the "
            "document. What was done already stays.",
            "form_class": LaterDayDialog,
            "form_submit_text": "Extend",
        },
    )
    def extend_deadline(self, request: HttpRequest, form: LaterDayDialog, object_id: str) -> HttpResponse:
        """Give more time to pay the invoice of the page, as the dialog says."""
        invoice, inputs = Invoice.objects.get(pk=object_id), form.cleaned_data

        def extend() -> str:
            extend_deadline(invoice, inputs["until"], inputs["reason"], operator_of(request))
            return f"Nothing is done about invoice {invoice} until the end of {inputs['until']}."

        return decided(request, "billing_invoice", object_id, extend)

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

        def withdraw() -> str:
            invoice = Invoice.objects.select_related("account").get(pk=object_id)
            withdraw_pay_links(invoice, operator_of(request))
            return f"The links to {invoice} were withdrawn. The one on this page is new."

        return decided(request, "billing_invoice", object_id, withdraw)

    @page_action(  # type: ignore[untyped-decorator]
        description="Charge the saved card",
        permissions=["charge"],
        icon="credit_card",
        dialog={
            "title": "Charge the customer's saved card",
            "description": "Charges the whole invoice now to the customer's default card, or else to the card saved "
            "last. If the bank asks for the customer's confirmation, nothing is charged, and the customer gets an "
            "e-mail with a link to pay.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Charge",
        },
    )
    def charge(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Charge the invoice of the page to the customer's saved card."""

        def charge() -> str:
            invoice = Invoice.objects.select_related("account").get(pk=object_id)
            payment = charge_saved_card(invoice, operator_of(request)).payment
            return f"{payment} is {payment.get_status_display().lower()}."

        return decided(request, "billing_invoice", object_id, charge)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: an issued invoice and its number must be kept."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Operators who may change invoices, unless the invoice is paid or void."""
        if isinstance(obj, Invoice) and obj.status in (InvoiceStatus.PAID, InvoiceStatus.VOID):
            return False
        return super().has_change_permission(request, obj)


def _what_settles(row: Allocation) -> tuple[str, str]:
    if row.credit_note:
        return change_url("billing_creditnote", row.credit_note.pk), f"Credit note {row.credit_note}"
    return change_url("billing_payment", row.payment_id), f"Payment {row.payment_id}"


def _link_to(invoice: Invoice | None) -> str:
    if invoice is None:
        return EMPTY
    return format_html('<a class="text-link" href="{}">{}</a>', change_url("billing_invoice", invoice.pk), invoice)
