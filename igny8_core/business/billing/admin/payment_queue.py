"""Payments to check, one after the other: the queue, the page of each, and the decision, by mouse or by keys."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet, Sum
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.models import PaymentMethodType
from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.admin.payment_decisions import ApprovalForm, RejectionForm
from igny8_core.business.billing.admin.payment_gateways import AsksGateways
from igny8_core.business.billing.admin.payment_review import review_of
from igny8_core.business.billing.errors import PaymentChangedMeanwhile
from igny8_core.business.billing.models import MANUAL_METHODS, Payment, PaymentStatus, RejectionCode
from igny8_core.business.billing.services.payments.as_read import (
    approve_as_read,
    changes,
    facts_in,
    facts_of,
    reject_as_read,
    token_of,
)
from igny8_core.business.billing.services.payments.large_approvals import is_large
from igny8_core.common.errors import DomainError
from igny8_core.common.money import amount_text

# The list's parameters that say how it is shown, not what is in it; and the status, which the queue says itself.
NOT_FILTERS = ("status__exact", "status__isnull", "o", "p", "all", "e")
SHOWN_NEXT = 6
DECISIONS: dict[str, Callable[[QueryDict | None], Form]] = {"approve": ApprovalForm, "reject": RejectionForm}


@dataclass(frozen=True)
class Queue:
    """What waits for a decision, the oldest first, of what the list's filters leave."""

    waiting: QuerySet[Payment]
    filters: QueryDict

    @cached_property
    def sums(self) -> list[str]:
        """How much waits, an amount for each currency, such as 267.00 USD."""
        found = self.waiting.order_by().values("currency").annotate(rows=Count("pk"), total=Sum("amount"))
        return [amount_text(row["total"], row["currency"]) for row in found.order_by("currency")]

    @cached_property
    def count(self) -> int:
        return self.waiting.count()

    def place_of(self, payment: Payment) -> int:
        """How many wait longer, and this one."""
        return self.waiting.filter(_before(payment)).count() + 1

    def following(self, payment: Payment) -> list[Payment]:
        """The next ones after the payment, and then those before it, which were left."""
        after = [*self._ordered(~_before(payment)).exclude(pk=payment.pk)[:SHOWN_NEXT]]
        return after or [*self._ordered(_before(payment))[:SHOWN_NEXT]]

    def previous(self, payment: Payment) -> Payment | None:
        """The one before the payment; before the first one the last."""
        backwards = self.waiting.exclude(pk=payment.pk).order_by("-created_at", "-pk")
        return backwards.filter(_before(payment)).first() or backwards.first()

    def first(self) -> Payment | None:
        return self._ordered(Q()).first()

    def address_of(self, payment: Payment | None) -> str:
        """The page of a payment of the queue, or of the queue itself, with its filters."""
        address = reverse("admin:billing_payment_check", args=[payment.pk]) if payment else _start()
        return f"{address}?{self.filters.urlencode()}" if self.filters else address

    def _ordered(self, which: Q) -> QuerySet[Payment]:
        return self.waiting.filter(which).order_by("created_at", "pk").select_related("account", "invoice")


class ChecksPayments(AsksGateways):
    """The pages on which operators work off what waits."""

    def get_urls(self) -> list[URLPattern]:
        """The model's pages, and those of the queue."""
        queue, check = self.admin_site.admin_view(self.queue_view), self.admin_site.admin_view(self.check_view)
        return [
            path("queue/", queue, name="billing_payment_queue"),
            path("queue/<path:object_id>/", check, name="billing_payment_check"),
            *super().get_urls(),
        ]

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """Leads to the payment that has waited longest; says so where nothing waits."""
        queue = self._queue(request)
        if first := queue.first():
            return HttpResponseRedirect(queue.address_of(first))
        others = Payment.objects.filter(status=PaymentStatus.PENDING_APPROVAL).count() if queue.filters else 0
        return self._shown(request, queue, "admin/billing/payment/nothing_waits.html", {"others": others})

    def check_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A payment with all that a decision rests on, and, as a POST, the decision; then the next one."""
        queue = self._queue(request)
        found: Payment | None = self.get_object(request, object_id)
        if found is None:
            return self._no_such_row(request, object_id)
        if request.method != "POST":
            return self._page(request, queue, found.pk)
        decision = request.POST.get("decision", "")
        if decision not in DECISIONS or not self.has_approve_permission(request):
            raise PermissionDenied
        form = DECISIONS[decision](request.POST)
        if not form.is_valid():
            return self._page(request, queue, found.pk, {decision: form}, status=400)
        return self._decided(request, queue, found, decision, form.cleaned_data)

    def has_approve_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see payments and decide them."""
        return self.has_view_permission(request) and request.user.has_perm("billing.approve_payment")

    def _queue(self, request: HttpRequest) -> Queue:
        """Raises PermissionDenied. Filters that nobody offers are left out, as the list does."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        filters = request.GET.copy()
        for name in NOT_FILTERS:
            filters.pop(name, None)
        asked, request.GET = request.GET, filters  # type: ignore[assignment] # It is not changed any more.
        try:
            rows: QuerySet[Payment] = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            rows, filters = self.get_queryset(request), QueryDict()
        finally:
            request.GET = asked
        return Queue(rows.filter(status=PaymentStatus.PENDING_APPROVAL).select_related(None), filters)

    def _decided(
        self, request: HttpRequest, queue: Queue, payment: Payment, decision: str, said: dict[str, Any]
    ) -> HttpResponse:
        here, following = queue.address_of(payment), queue.following(payment)
        request.leads_back = here  # type: ignore[attr-defined] # The page that asks who it is has a way back.
        if decision == "approve" and is_large(payment):
            require_confirmed_operator(request)
        try:
            told = self._decide(request, payment, decision, said)
        except PaymentChangedMeanwhile as refusal:
            forms = {decision: DECISIONS[decision](request.POST)}
            return self._page(request, queue, payment.pk, forms, refusal=refusal, status=409)
        except DomainError as refusal:
            messages.warning(request, refusal.text)
            return HttpResponseRedirect(here, status=303)
        messages.success(request, told)
        return HttpResponseRedirect(queue.address_of(following[0] if following else None), status=303)

    def _decide(self, request: HttpRequest, payment: Payment, decision: str, said: dict[str, Any]) -> str:
        read, operator = facts_in(request.POST.get("read", "")), operator_of(request)
        if decision == "reject":
            words = {"reason_code": said["reason_code"], "reason": said["reason"], "internal_note": said["note"]}
            reject_as_read(payment, read, operator, **words)
            return f"Rejected {_named(payment)}."
        override = said["override_duplicate"]
        settled = approve_as_read(payment, read, operator, admin_notes=said["note"], override_duplicate=override)
        if settled.caution:
            messages.warning(request, settled.caution)
        return f"Approved {_named(payment)}. {settled.outcome}"

    def _page(
        self,
        request: HttpRequest,
        queue: Queue,
        pk: int,
        forms: dict[str, Form] | None = None,
        *,
        refusal: PaymentChangedMeanwhile | None = None,
        status: int = 200,
    ) -> HttpResponse:
        forms = forms or {}
        rows = Payment.objects.select_related("account__owner", "invoice", "proof", "approved_by")
        payment = rows.prefetch_related("invoice__lines").get(pk=pk)
        review, facts = review_of(payment, operator_of(request).account_id), facts_of(payment)
        following = queue.following(payment)
        context = {
            "review": review,
            "read": token_of(facts),
            "refusal": refusal,
            "changes": changes(facts_in(request.POST.get("read", "")), facts) if refusal else [],
            "may_decide": self.has_approve_permission(request) and review.is_waiting and not review.is_own,
            "approval": forms.get("approve") or ApprovalForm(),
            "rejection": forms.get("reject") or RejectionForm(),
            "opens": "" if refusal else next(iter(forms), ""),
            "reasons": RejectionCode.choices,
            "place": queue.place_of(payment),
            "next": [(queue.address_of(other), other) for other in following],
            "next_address": queue.address_of(following[0] if following else None),
            "previous_address": queue.address_of(queue.previous(payment) or payment),
        }
        return self._shown(request, queue, "admin/billing/payment/check.html", context, status)

    def _shown(
        self, request: HttpRequest, queue: Queue, template: str, context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        other_filters = [
            (name, value)
            for name, values in queue.filters.lists()
            if name not in {"q", "payment_method__exact"}
            for value in values
        ]
        shared = {
            **self.admin_site.each_context(request),
            "title": "Payments to check",
            "queue": queue,
            "methods": [(method, PaymentMethodType(method).label) for method in MANUAL_METHODS],
            "asked": queue.filters.get("q", ""),
            "method": queue.filters.get("payment_method__exact", ""),
            "other_filters": other_filters,
            "queue_url": _start(),
            "list_url": f"{reverse('admin:billing_payment_changelist')}?{_as_list(queue.filters)}",
        }
        return TemplateResponse(request, template, {**shared, **context}, status=status)


def _before(payment: Payment) -> Q:
    return Q(created_at__lt=payment.created_at) | Q(created_at=payment.created_at, pk__lt=payment.pk)


def _start() -> str:
    return reverse("admin:billing_payment_queue")


def _as_list(filters: QueryDict) -> str:
    listed = filters.copy()
    listed["status__exact"] = PaymentStatus.PENDING_APPROVAL
    return listed.urlencode()


def _named(payment: Payment) -> str:
    return f"{amount_text(payment.amount, payment.currency)} of {payment.account.name} ({payment.manual_reference})"
