"""Deciding several payments: the page between, with what needs a look first, and the report of each row."""

import csv
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.models import User
from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.admin.payment_decisions import (
    ApprovalForm,
    RejectionForm,
    Report,
    decide_each,
    sums_of,
)
from igny8_core.business.billing.admin.payment_queue import ChecksPayments
from igny8_core.business.billing.admin.payment_reports import Row, rows_in, token_of
from igny8_core.business.billing.models import Payment, PaymentStatus, RejectionCode
from igny8_core.business.billing.services.payments.large_approvals import is_large
from igny8_core.business.billing.services.payments.offline import approve_manual_payment, reject_manual_payment
from igny8_core.common.money import amount_text

# More than this many are taken in several selections, the oldest first.
MOST_SELECTED = 10_000
SHOWN_ROWS = 200
# More are decided in parts of so many, so that one sees how far it is.
AT_ONCE = 100
FORMS: dict[str, type[Form]] = {"approve": ApprovalForm, "reject": RejectionForm}
VERBS = {"approve": "Approved", "reject": "Rejected"}
NOT_WAITING = "Waits no longer: {}. It will be left as it is."
OWN = "Your own account: another operator has to decide it."
REPEATED = "Another payment has the same reference or proof."
LARGE = "A large amount."


@dataclass(frozen=True)
class Candidate:
    """A selected payment with what is to be noticed about it before it is decided."""

    payment: Payment
    remarks: list[str]

    @property
    def amount(self) -> str:
        return amount_text(self.payment.amount, self.payment.currency)


class SelectedField(forms.Field):
    """The ids of the selected payments in one field: browsers and servers take thousands of fields badly."""

    def to_python(self, value: Any) -> list[int]:
        """The ids. Raises ValidationError for what is no list of them."""
        ids = [part for part in str(value or "").split(",") if part]
        if len(ids) > MOST_SELECTED or not all(part.isdecimal() and len(part) < 19 for part in ids):
            raise forms.ValidationError(f"At most {MOST_SELECTED} payments are decided together. Select them again.")
        return [int(part) for part in ids]


class SelectedForm(forms.Form):
    """What is sent beside the words of the decision."""

    payments = SelectedField(required=False)


class DecidesSeveral(ChecksPayments):
    """The pages on which operators decide several payments at once."""

    def get_urls(self) -> list[URLPattern]:
        """The model's pages, and the one that decides a selection."""
        view = self.admin_site.admin_view(self.decide_view)
        return [path("decide/", view, name="billing_payment_decide"), *super().get_urls()]

    def before_deciding(self, request: HttpRequest, decision: str, payments: QuerySet[Payment]) -> HttpResponse:
        """The page between selecting and deciding."""
        oldest = payments.select_related("account", "invoice").order_by("created_at", "pk")
        selected = list(oldest[: MOST_SELECTED + 1])
        context = {"form": FORMS[decision](), "is_cut": len(selected) > MOST_SELECTED}
        return self._asked_first(request, decision, selected[:MOST_SELECTED], context)

    def decide_view(self, request: HttpRequest) -> HttpResponse:
        """Decide the selected payments and report each row: as a page, as CSV, or, for one part of many, as JSON."""
        decision, earlier = request.POST.get("decision", ""), rows_in(request.POST.getlist("report"))
        if request.method != "POST" or decision not in FORMS or not self.has_approve_permission(request):
            raise PermissionDenied
        if "csv" in request.POST:
            return _as_csv(earlier)
        selection, form = SelectedForm(request.POST), FORMS[decision](request.POST)
        chosen = selection.cleaned_data["payments"] if selection.is_valid() else []
        rows = Payment.objects.select_related("account", "invoice").filter(pk__in=chosen)
        payments = list(rows.order_by("created_at", "pk"))
        if not selection.is_valid() or (payments and not form.is_valid()):
            wrong: dict[str, Any] = {"form": form, "selection": selection}
            return self._asked_first(request, decision, payments, wrong, status=400)
        request.leads_back = self._list_of(request)  # type: ignore[attr-defined]
        if decision == "approve" and any(is_large(payment) for payment in payments):
            require_confirmed_operator(request)
        report = _decide(operator_of(request), decision, payments, form.cleaned_data if payments else {})
        done = [*earlier, *report.rows()]
        if request.headers.get("Accept") == "application/json":
            return JsonResponse({"report": token_of(report.rows()), "refused": len(report.refused)})
        report.tell(request, VERBS[decision])
        refused_first = sorted(done, key=lambda row: row.is_decided)
        context = {
            "rows": refused_first[:SHOWN_ROWS],
            "hidden": max(0, len(done) - SHOWN_ROWS),
            "decided": sum(row.is_decided for row in done),
            "refused": sum(not row.is_decided for row in done),
            "token": token_of(done),
        }
        return self._answered(request, decision, "admin/billing/payment/decided.html", context)

    def _asked_first(
        self, request: HttpRequest, decision: str, payments: list[Payment], context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        operator = operator_of(request)
        found = [Candidate(payment, _remarks(payment, operator, decision)) for payment in payments]
        found.sort(key=lambda candidate: not candidate.remarks)
        more = {
            "candidates": found[:SHOWN_ROWS],
            "hidden": max(0, len(found) - SHOWN_ROWS),
            "at_once": AT_ONCE,
            "count": len(found),
            "sums": sums_of(payments),
            "remarked": sum(bool(candidate.remarks) for candidate in found),
            "repeated": any(REPEATED in candidate.remarks for candidate in found),
            "selected": ",".join(str(payment.pk) for payment in payments),
            "reasons": RejectionCode.choices,
            "earlier": request.POST.getlist("report"),
        }
        return self._answered(request, decision, "admin/billing/payment/decide.html", {**more, **context}, status)

    def _answered(
        self, request: HttpRequest, decision: str, template: str, context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "title": f"{decision.capitalize()} selected payments",
            "decision": decision,
            "list_url": self._list_of(request),
            "filters": self._list_of(request).partition("?")[2],
        }
        return TemplateResponse(request, template, {**shared, **context}, status=status)

    def _list_of(self, request: HttpRequest) -> str:
        """The list with the filters that it was left with: those of its own address, or those that the form kept."""
        filters = request.POST.get("filters", request.GET.urlencode())
        address = reverse("admin:billing_payment_changelist")
        return f"{address}?{filters}" if filters else address


def _decide(operator: User, decision: str, payments: list[Payment], said: dict[str, Any]) -> Report:
    if decision == "approve":
        return decide_each(
            payments,
            lambda payment: approve_manual_payment(
                payment, operator, admin_notes=said["note"], override_duplicate=said["override_duplicate"]
            ),
        )
    return decide_each(
        payments,
        lambda payment: reject_manual_payment(
            payment, said["reason"], operator, reason_code=said["reason_code"], internal_note=said["note"]
        ),
    )


def _remarks(payment: Payment, operator: User, decision: str) -> list[str]:
    if payment.status != PaymentStatus.PENDING_APPROVAL:
        return [NOT_WAITING.format(payment.get_status_display())]
    remarks = [OWN] if operator.account_id == payment.account_id else []
    if payment.is_flagged_duplicate:
        remarks.append(REPEATED)
    if decision == "approve" and is_large(payment):
        remarks.append(LARGE)
    return remarks


def _as_csv(rows: list[Row]) -> HttpResponse:
    written = StringIO()
    table = csv.writer(written)
    table.writerow(["payment", "invoice", "customer", "amount", "currency", "result", "what happened"])
    for row in rows:
        result = "done" if row.is_decided else "refused"
        cells = [row.payment, row.invoice, row.customer, row.amount, row.currency, result, row.text]
        table.writerow([_harmless(str(cell)) for cell in cells])
    headers = {"Content-Disposition": 'attachment; filename="decided-payments.csv"', "Cache-Control": "no-store"}
    return HttpResponse(written.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _harmless(cell: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
