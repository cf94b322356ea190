"""Voiding and sending several invoices: the page between, with what is refused first, and the report of each row."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from igny8_core.auth.errors import OwnAccount
from igny8_core.auth.models import User
from igny8_core.auth.permissions import operator_of, require_other_account
from igny8_core.business.billing.invoice_inputs import VoidInput
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices.lifecycle import (
    mark_void,
    send_again,
    why_not_sent,
    why_not_voided,
)
from igny8_core.business.billing.services.payments.approving_many import DATABASE_REFUSED
from igny8_core.common.errors import DomainError
from igny8_core.common.money import amount_text, format_amount
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.csv_files import csv_of, link_with
from igny8_core.console.pages import ConsoleAdmin
from igny8_core.console.selections import IdsField, joined

logger = logging.getLogger(__name__)
# More than this many are taken in several selections, the oldest first.
MOST_SELECTED = 500
WORDS = {"void": ("Void", "voided"), "send": ("Send", "sent")}
PERMISSIONS = {"void": "billing.void_invoice", "send": "billing.change_invoice"}


@dataclass(frozen=True)
class Row:
    """A selected invoice: what stands in its way before, and what became of it afterwards."""

    invoice: Invoice
    text: str = ""
    is_refused: bool = False

    @property
    def total(self) -> str:
        return amount_text(self.invoice.total, self.invoice.currency)


class SelectedForm(forms.Form):
    """The ids of the selected invoices in one field."""

    invoices = IdsField(MOST_SELECTED, "invoices", required=False)


class SendForm(forms.Form):
    """Nothing more is asked before sending."""


class VoidForm(StrictForm, forms.Form):
    """The reason that is stored with each invoice and printed on it."""

    rules = VoidInput

    reason = forms.CharField(max_length=255, error_messages={"required": "Write why they are voided."})


FORMS: dict[str, type[forms.Form]] = {"void": VoidForm, "send": SendForm}


class DecidesInvoices(ConsoleAdmin):
    """The pages on which operators void or send several invoices at once."""

    def get_urls(self) -> list[URLPattern]:
        """The model's pages, and the one that decides a selection."""
        view = self.admin_site.admin_view(self.decide_view)
        return [path("decide/", view, name="billing_invoice_decide"), *super().get_urls()]

    def before_deciding(self, request: HttpRequest, decision: str, invoices: QuerySet[Invoice]) -> HttpResponse:
        """The page between selecting and deciding."""
        oldest = _with_all(invoices).order_by("pk")[: MOST_SELECTED + 1]
        selected = list(oldest)
        context = {"form": FORMS[decision](), "is_cut": len(selected) > MOST_SELECTED}
        return self._asked_first(request, decision, selected[:MOST_SELECTED], context)

    def decide_view(self, request: HttpRequest) -> HttpResponse:
        """Decide the selected invoices, each by itself, and report each row. Raises PermissionDenied."""
        decision = request.POST.get("decision", "")
        if request.method != "POST" or not self._may(request, decision):
            raise PermissionDenied
        selection, form = SelectedForm(request.POST), FORMS[decision](request.POST)
        ids = selection.cleaned_data["invoices"] if selection.is_valid() else []
        invoices = list(_with_all(Invoice.objects.filter(pk__in=ids)).order_by("pk"))
        if not selection.is_valid() or not form.is_valid():
            context = {"form": form, "is_wrong_selection": not selection.is_valid()}
            return self._asked_first(request, decision, invoices, context, status=400)
        rows = _decided(operator_of(request), decision, invoices, form.cleaned_data)
        rows.sort(key=lambda row: not row.is_refused)
        refused = sum(row.is_refused for row in rows)
        # The report is kept nowhere: its file stands in the page.
        context = {"rows": rows, "refused": refused, "done": len(rows) - refused, "file": link_with(_as_csv(rows))}
        return self._decision_page(request, decision, "decided.html", context)

    def _may(self, request: HttpRequest, decision: str) -> bool:
        return decision in FORMS and self.has_view_permission(request) and request.user.has_perm(PERMISSIONS[decision])

    def _asked_first(
        self, request: HttpRequest, decision: str, invoices: list[Invoice], context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        operator = operator_of(request)
        rows = [_before(operator, decision, invoice) for invoice in invoices]
        rows.sort(key=lambda row: not row.is_refused)
        going = [row.invoice for row in rows if not row.is_refused]
        more = {
            "rows": rows,
            "count": len(going),
            "refused": len(rows) - len(going),
            "sums": _sums_of(going),
            "selected": joined(invoice.pk for invoice in invoices),
        }
        return self._decision_page(request, decision, "decide.html", {**more, **context}, status)

    def _decision_page(
        self, request: HttpRequest, decision: str, template: str, context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        filters = request.POST.get("filters", request.GET.urlencode())
        address = reverse("admin:billing_invoice_changelist")
        verb, participle = WORDS[decision]
        shared = {
            **self.admin_site.each_context(request),
            "title": f"{verb} selected invoices",
            "opts": self.opts,
            "decision": decision,
            "verb": verb,
            "participle": participle,
            "filters": filters,
            "list_url": f"{address}?{filters}" if filters else address,
        }
        return TemplateResponse(request, f"admin/billing/invoice/{template}", {**shared, **context}, status=status)


def _with_all(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    return invoices.select_related("account__owner")


def _before(operator: User, decision: str, invoice: Invoice) -> Row:
    if decision == "void" and operator.account_id == invoice.account_id:
        return Row(invoice, str(OwnAccount.text), is_refused=True)
    why_not = why_not_voided(invoice) if decision == "void" else why_not_sent(invoice)
    if why_not:
        return Row(invoice, why_not, is_refused=True)
    return Row(invoice, "" if decision == "void" else f"To {invoice.account.address_for_mail}")


def _decided(operator: User, decision: str, invoices: Iterable[Invoice], said: dict[str, Any]) -> list[Row]:
    if decision == "send":
        return [_row(invoice, lambda each: send_again(each, operator), "Sent") for invoice in invoices]

    def void(invoice: Invoice) -> object:
        require_other_account(operator, invoice.account_id)
        return mark_void(invoice, said["reason"], operator)

    return [_row(invoice, void, "Voided") for invoice in invoices]


def _row(invoice: Invoice, decide: Callable[[Invoice], object], done: str) -> Row:
    try:
        decide(invoice)
    except DomainError as refusal:
        return Row(invoice, refusal.text, is_refused=True)
    except DatabaseError:
        logger.exception("invoice not decided", extra={"invoice": invoice.pk})
        return Row(invoice, DATABASE_REFUSED, is_refused=True)
    return Row(invoice, done)


def _as_csv(rows: Iterable[Row]) -> str:
    def cells(row: Row) -> list[object]:
        invoice, result = row.invoice, "refused" if row.is_refused else "done"
        total = format_amount(invoice.total, invoice.currency)
        return [invoice.invoice_number, invoice.account.name, total, invoice.currency, result, row.text]

    return csv_of(["invoice", "customer", "amount", "currency", "result", "what happened"], map(cells, rows))


def _sums_of(invoices: Iterable[Invoice]) -> list[str]:
    """The totals together, one for each currency, such as 267.00 USD."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for invoice in invoices:
        sums[invoice.currency] += invoice.total
    return [amount_text(total, currency) for currency, total in sorted(sums.items())]
