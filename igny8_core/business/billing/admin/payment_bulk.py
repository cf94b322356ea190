"""Deciding several payments: the page between, with what needs a look first, and the report of each row."""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.models import User
from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.admin.payment_decisions import (
    ApprovalForm,
    RejectionForm,
    Report,
    sums_of,
)
from igny8_core.business.billing.admin.payment_queue import ChecksPayments
from igny8_core.business.billing.models import (
    BulkDecision,
    BulkDecisionRow,
    BulkStatus,
    Decision,
    Payment,
    PaymentStatus,
    RejectionCode,
    RowResult,
)
from igny8_core.business.billing.payment_repeats import ids_of_repeats
from igny8_core.business.billing.services.payments.bulk_decisions import Words, carry_out, order_decision, progress_of
from igny8_core.business.billing.services.payments.large_approvals import is_large
from igny8_core.common.money import amount_text, format_amount
from igny8_core.common.signed_texts import BadSignature, opened, signed
from igny8_core.console.csv_files import csv_of
from igny8_core.console.selections import IdsField, joined

# More than this many are taken in several selections, the oldest first.
MOST_SELECTED = 10_000
SHOWN_ROWS = 200
# More are decided by a worker, and a page shows how far it is.
AT_ONCE = 100
FORMS: dict[str, type[Form]] = {"approve": ApprovalForm, "reject": RejectionForm}
VERBS = {"approve": "Approved", "reject": "Rejected"}
SEEN = "repeats that were shown"
NOT_WAITING = "Waits no longer: {}. It will be left as it is."
OWN = "Your own account: another operator has to decide it."
REPEATED = "Another payment has the same reference or proof."
LARGE = "A large amount."


@dataclass(frozen=True)
class Candidate:
    """A selected payment with what is to be noticed about it before it is decided.

    `repeats`: ids of the other payments of its transfer.
    """

    payment: Payment
    remarks: list[str]
    repeats: list[int] = field(default_factory=list)

    @property
    def amount(self) -> str:
        return amount_text(self.payment.amount, self.payment.currency)

    @property
    def bare_amount(self) -> str:
        return format_amount(self.payment.amount, self.payment.currency)


class SelectedForm(forms.Form):
    """What is sent beside the words of the decision. Of those that were `shown`, only the ticked ones are decided.

    `left_out`: what was unticked on the other pages of the selection. `turn`: the page of it to show; none to decide.
    """

    payments = IdsField(MOST_SELECTED, "payments", required=False)
    shown = IdsField(MOST_SELECTED, "payments", required=False)
    left_out = IdsField(MOST_SELECTED, "payments", required=False)
    turn = forms.IntegerField(min_value=1, max_value=MOST_SELECTED, required=False)

    @property
    def all_left_out(self) -> set[int]:
        """The ids of the payments that are not to be decided, on whichever page they were unticked."""
        data: Any = self.data
        # Compared as text, which is what was sent: a number may have any length.
        shown, ticked = {*self.cleaned_data["shown"]}, {*data.getlist("ticked")}
        unticked = {pk for pk in shown if str(pk) not in ticked}
        return ({*self.cleaned_data["left_out"]} - shown) | unticked


class DecidesSeveral(ChecksPayments):
    """The pages on which operators decide several payments at once."""

    def get_urls(self) -> list[URLPattern]:
        """The model's pages, the one that decides a selection, and the one that tells what became of it."""
        decide, decided = self.admin_site.admin_view(self.decide_view), self.admin_site.admin_view(self.decided_view)
        return [
            path("decide/", decide, name="billing_payment_decide"),
            path("decided/<int:bulk_id>/", decided, name="billing_payment_decided"),
            *super().get_urls(),
        ]

    def before_deciding(self, request: HttpRequest, decision: str, payments: QuerySet[Payment]) -> HttpResponse:
        """The page between selecting and deciding."""
        oldest = payments.select_related("account", "invoice").order_by("created_at", "pk")
        selected = list(oldest[: MOST_SELECTED + 1])
        context = {"form": FORMS[decision](), "is_cut": len(selected) > MOST_SELECTED}
        return self._asked_first(request, decision, selected[:MOST_SELECTED], context)

    def decide_view(self, request: HttpRequest) -> HttpResponse:
        """Order the decision about the selected payments; a few are decided at once. Leads to what becomes of each."""
        decision = request.POST.get("decision", "")
        if request.method != "POST" or decision not in FORMS or not self.has_approve_permission(request):
            raise PermissionDenied
        selection, form = SelectedForm(request.POST), FORMS[decision](request.POST)
        selected = selection.cleaned_data["payments"] if selection.is_valid() else []
        rows = Payment.objects.select_related("account", "invoice").filter(pk__in=selected)
        payments = list(rows.order_by("created_at", "pk"))
        left_out = selection.all_left_out if selection.is_valid() else set()
        if selection.is_valid() and selection.cleaned_data["turn"]:
            # What counts as seen is what the first page was made of: repeats since then need another look.
            turned = {"form": FORMS[decision](initial=request.POST.dict()), "seen": request.POST.get("seen", "")}
            return self._asked_first(request, decision, payments, turned, left_out, selection.cleaned_data["turn"])
        if selection.is_valid() and not any(payment.pk not in left_out for payment in payments):
            selection.add_error(None, "Tick at least one payment.")
        if not selection.is_valid() or not form.is_valid():
            wrong: dict[str, Any] = {"form": form, "selection": selection}
            return self._asked_first(request, decision, payments, wrong, left_out, status=400)
        payments = [payment for payment in payments if payment.pk not in left_out]
        request.leads_back = self._list_of(request)  # type: ignore[attr-defined]
        if decision == "approve" and any(is_large(payment) for payment in payments):
            require_confirmed_operator(request)
        words = _words(form.cleaned_data)
        bulk = order_decision(Decision(decision), words, operator_of(request), payments, _seen_in(request.POST))
        if len(payments) <= AT_ONCE:
            carry_out(bulk)
            _report_of(bulk).tell(request, VERBS[decision])
        filters = urlencode({"filters": request.POST.get("filters", "")})
        address = reverse("admin:billing_payment_decided", args=[bulk.pk])
        return HttpResponseRedirect(f"{address}?{filters}", status=303)

    def decided_view(self, request: HttpRequest, bulk_id: int) -> HttpResponse:
        """What became of a selection: how far it is, and the report of each row, as a page or as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        bulk = BulkDecision.objects.select_related("decided_by").filter(pk=bulk_id).first()
        if bulk is None:
            raise Http404
        if request.GET.get("as") == "csv":
            return _as_csv(bulk)
        counts = progress_of(bulk)
        if request.headers.get("Accept") == "application/json":
            return JsonResponse({"is_done": bulk.status == BulkStatus.DONE, **counts})
        context = {
            "bulk": bulk,
            "is_done": bulk.status == BulkStatus.DONE,
            "rows": [
                (row, amount_text(row.payment.amount, row.payment.currency)) for row in _reported(bulk)[:SHOWN_ROWS]
            ],
            "hidden": max(0, counts["all"] - SHOWN_ROWS),
            "counts": counts,
            "decided_so_far": counts["all"] - counts["waiting"],
        }
        return self._answered(request, bulk.decision, "admin/billing/payment/decided.html", context)

    def _asked_first(
        self,
        request: HttpRequest,
        decision: str,
        payments: list[Payment],
        context: dict[str, Any],
        left_out: Set[int] = frozenset(),
        number: int = 1,
        status: int = 200,
    ) -> HttpResponse:
        operator, repeats = operator_of(request), ids_of_repeats(payments)
        found = [Candidate(each, _remarks(each, operator, decision), repeats.get(each.pk, [])) for each in payments]
        found.sort(key=lambda candidate: not candidate.remarks)
        page = Paginator(found, SHOWN_ROWS).get_page(number)
        shown = {candidate.payment.pk for candidate in page}
        # Of this page the script counts what is ticked.
        elsewhere = {payment.pk for payment in payments if payment.pk in left_out} - shown
        to_tick = [payment for payment in payments if payment.pk not in elsewhere]
        to_decide = [payment for payment in to_tick if payment.pk not in left_out]
        more = {
            "page": page,
            "count": len(to_decide),
            "sums": sums_of(to_decide),
            "tickable": {"count": len(to_tick), "sums": sums_of(to_tick)},
            "remarked": sum(bool(candidate.remarks) for candidate in found),
            "repeated": any(REPEATED in candidate.remarks for candidate in found),
            "selected": joined(payment.pk for payment in payments),
            "shown": joined(candidate.payment.pk for candidate in page),
            "seen": signed(json.dumps(repeats, separators=(",", ":")), salt=SEEN),
            "left_out": left_out,
            "elsewhere": elsewhere,
            "left_elsewhere": joined(elsewhere),
            "reasons": RejectionCode.choices,
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
        """The list with the filters that it was left with: those that the page kept, or those of its own address."""
        kept = request.POST.get("filters", request.GET.get("filters"))
        filters = request.GET.urlencode() if kept is None else kept
        address = reverse("admin:billing_payment_changelist")
        return f"{address}?{filters}" if filters else address


def _words(said: Mapping[str, Any]) -> Words:
    names = ("note", "override_duplicate", "reason_code", "reason")
    return Words(**{name: said[name] for name in names if name in said})


def _seen_in(sent: QueryDict) -> dict[int, Sequence[int]]:
    """The repeats that the page showed; none if we did not sign it, so that every repeat counts as new."""
    try:
        shown = json.loads(opened(sent.get("seen", ""), salt=SEEN))
    except BadSignature:
        return {}
    return {int(pk): repeats for pk, repeats in shown.items()}


def _remarks(payment: Payment, operator: User, decision: str) -> list[str]:
    if payment.status != PaymentStatus.PENDING_APPROVAL:
        return [NOT_WAITING.format(payment.get_status_display())]
    remarks = [OWN] if operator.account_id == payment.account_id else []
    if payment.is_flagged_duplicate:
        remarks.append(REPEATED)
    if decision == "approve" and is_large(payment):
        remarks.append(LARGE)
    return remarks


def _reported(bulk: BulkDecision) -> QuerySet[BulkDecisionRow]:
    """The rows of a report: those that were refused first."""
    return bulk.rows.select_related("payment__account", "payment__invoice").order_by(F("result").desc(), "pk")


def _report_of(bulk: BulkDecision) -> Report:
    """What became of the payments; of those that a worker tries once more, nothing is said yet."""
    report = Report()
    for row in _reported(bulk):
        if row.result == RowResult.DONE:
            report.decided.append((row.payment, row.outcome, row.caution))
        elif row.result == RowResult.REFUSED:
            report.refused.append((row.payment, row.outcome))
    return report


def _as_csv(bulk: BulkDecision) -> HttpResponse:
    def cells(row: BulkDecisionRow) -> list[object]:
        paid = row.payment
        amount, told = format_amount(paid.amount, paid.currency), f"{row.outcome} {row.caution}".strip()
        return [paid.pk, paid.invoice.invoice_number, paid.account.name, amount, paid.currency, row.result, told]

    head = ["payment", "invoice", "customer", "amount", "currency", "result", "what happened"]
    content = csv_of(head, map(cells, _reported(bulk).iterator(chunk_size=1000)))
    headers = {"Content-Disposition": 'attachment; filename="decided-payments.csv"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)
