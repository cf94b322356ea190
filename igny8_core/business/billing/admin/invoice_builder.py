"""Writing an invoice by hand: the account first, then its lines with their sums, and one invoice for each form."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from igny8_core.auth.models import Account, User
from igny8_core.auth.permissions import operator_of, require_other_account
from igny8_core.business.billing.invoice_inputs import InvoiceInput
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.offers import is_usable, offered_for
from igny8_core.business.billing.services.invoices.lifecycle import MAX_DUE_DAYS, create_invoice
from igny8_core.common import clock
from igny8_core.common.errors import DomainError
from igny8_core.common.money import amount_text, minor_units
from igny8_core.common.strict_forms import sentences
from igny8_core.console.columns import change_url
from igny8_core.console.pages import ConsoleAdmin

EMPTY_LINES = 3
MADE_ALREADY = "This form has made invoice {} already. Nothing more was made. Begin a new form for another invoice."
OTHER_CURRENCY = "These prices were written in {}, and the account is invoiced in {} by now. Look at them again."
COLUMNS = ("description", "quantity", "amount")
NAMES = {
    "due_date": "Due date",
    "purchase_order_number": "Purchase order",
    "notes": "Notes",
    "description": "description",
    "quantity": "quantity",
    "amount": "unit price",
}


@dataclass
class Written:
    """What stands in the form: its lines as typed, and the other fields."""

    key: UUID
    lines: list[dict[str, str]]
    fields: dict[str, str] = field(default_factory=dict)
    send: bool = True

    @classmethod
    def empty(cls) -> "Written":
        """A new form, with the usual due date."""
        due = clock.today() + timedelta(days=settings.INVOICE_DUE_DAYS)
        return cls(uuid4(), [], {"due_date": due.isoformat()})

    @classmethod
    def sent(cls, request: HttpRequest) -> "Written":
        """What was sent. Lines in which nothing was typed are left out."""
        columns = zip_longest(*(request.POST.getlist(name) for name in COLUMNS), fillvalue="")
        typed = [dict(zip(COLUMNS, (cell.strip() for cell in row), strict=True)) for row in columns]
        lines = [line for line in typed if line["description"] or line["amount"]]
        fields = {name: request.POST.get(name, "") for name in ("due_date", "purchase_order_number", "notes")}
        return cls(_key(request.POST.get("key", "")), lines, fields, "send" in request.POST)

    @property
    def shown_lines(self) -> list[dict[str, str]]:
        """The lines, and empty ones to go on with."""
        return [*self.lines, *({"quantity": "1"} for _ in range(EMPTY_LINES))]

    def order(self, account: Account) -> InvoiceInput:
        """The input that the API would get."""
        lines = [{**line, "quantity": _number(line["quantity"])} for line in self.lines]
        fields = {name: value for name, value in self.fields.items() if value or name != "due_date"}
        return InvoiceInput(data={"account": account.pk, "line_items": lines, "send": self.send, **fields})


class WritesInvoices(ConsoleAdmin):
    """The pages on which operators write an invoice by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operators who may create invoices, and see them and the accounts that they choose from."""
        needed = ("billing.add_invoice", "billing.view_invoice", "igny8_auth.view_account")
        return request.user.has_perms(needed)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """GET: choose the account, then write. POST: make the invoice, or say what is wrong and keep what was typed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        account = _account(request.POST.get("account") or request.GET.get("account", ""))
        if account is None:
            return self._choose(request)
        if request.method != "POST":
            return self._page(request, account, Written.empty(), [])
        written, currency = Written.sent(request), account.plan.currency
        if (shown := request.POST.get("currency", currency)) != currency:
            return self._page(request, account, written, [OTHER_CURRENCY.format(shown, currency)])
        order = written.order(account)
        if not order.is_valid():
            return self._page(request, account, written, _refusals(order.errors))
        try:
            invoice = _created(account, order.validated_data, written.key, operator_of(request))
        except DomainError as refusal:
            return self._page(request, account, written, _sentences_of(refusal))
        if _content(invoice) != _asked(order.validated_data, invoice.due_date):
            return self._page(request, account, written, [MADE_ALREADY.format(invoice)])
        how = "It is on its way to the customer." if written.send else "It was not sent to the customer."
        total = amount_text(invoice.total, invoice.currency)
        messages.success(request, f"Invoice {invoice} over {total} for {account.name}. {how}")
        return HttpResponseRedirect(change_url("billing_invoice", invoice.pk))

    def _choose(self, request: HttpRequest) -> HttpResponse:
        look = {"class": "unfold-admin-autocomplete", "data-theme": "admin-autocomplete"}
        widget = AutocompleteSelect(Invoice._meta.get_field("account"), self.admin_site, attrs=look)
        chooser = forms.Form()
        chooser.fields["account"] = forms.ModelChoiceField(
            Account.objects.filter(deleted_at=None), widget=widget, help_text="Search by name, or by e-mail address."
        )
        return self._written_page(request, "choose.html", {"form": chooser, "media": self.media + chooser.media}, 200)

    def _page(self, request: HttpRequest, account: Account, written: Written, refused: list[str]) -> HttpResponse:
        currency = account.plan.currency
        offers = offered_for(account.billing_country, Decimal(1), currency)
        today = clock.today()
        context = {
            "account": account,
            "currency": currency,
            "decimals": minor_units(currency),
            "written": written,
            "refused": refused,
            "ways": [offer.display_name for offer in offers if is_usable(offer)],
            "first_day": today.isoformat(),
            "last_day": (today + timedelta(days=MAX_DUE_DAYS)).isoformat(),
            "address": account.address_for_mail,
        }
        return self._written_page(request, "build.html", context, 400 if refused else 200)

    def _written_page(self, request: HttpRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": "Write an invoice", "opts": self.opts}
        return TemplateResponse(request, f"admin/billing/invoice/{template}", {**shared, **context}, status=status)


def _created(account: Account, order: dict[str, Any], key: UUID, operator: User) -> Invoice:
    require_other_account(operator, account.pk)
    return create_invoice(
        account,
        # As text, so that 89.000 is refused where the currency has two decimals.
        [{**line, "amount": str(line["amount"])} for line in order["line_items"]],
        # What the form showed, also if the account changes its plan just now.
        currency=account.plan.currency,
        notes=order["notes"],
        due_date=order.get("due_date"),
        send=order["send"],
        purchase_order_number=order["purchase_order_number"],
        created_by=operator,
        request_key=key,
    )


def _content(invoice: Invoice) -> object:
    lines = [(line.description, line.quantity, line.unit_amount) for line in invoice.lines.order_by("position")]
    return lines, invoice.due_date, invoice.purchase_order_number, invoice.notes


def _asked(order: dict[str, Any], due: date) -> object:
    lines = [(line["description"], line["quantity"], line["amount"]) for line in order["line_items"]]
    return lines, order.get("due_date", due), order["purchase_order_number"], order["notes"]


def _account(typed: str) -> Account | None:
    if not typed.isdecimal() or len(typed) > 18:
        return None
    return Account.objects.select_related("plan", "owner").filter(pk=int(typed), deleted_at=None).first()


def _key(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        return uuid4()


def _number(typed: str) -> object:
    """A whole number as one; anything else as it was typed, which is refused."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else typed


def _refusals(errors: dict[str, Any]) -> list[str]:
    """What the input refused, as sentences that say where."""
    told = []
    for name, detail in errors.items():
        if name != "line_items":
            told += [f"{NAMES.get(name, name)}: {text}" for text in sentences(detail)]
        elif "non_field_errors" in detail:
            told += sentences(detail)
        else:
            told += [
                f"Line {number + 1}, {NAMES.get(column, column)}: {text}"
                for number, line in detail.items()
                for column, refused in line.items()
                for text in sentences(refused)
            ]
    return told


def _sentences_of(refusal: DomainError) -> list[str]:
    told = [text for texts in (refusal.errors or {}).values() for text in texts]
    return told or [refusal.text]
