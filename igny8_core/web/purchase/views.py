"""Buying credits: choose a package and how it is paid; then the page of the order, until its credits are there."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from igny8_core.auth.models import MANAGER_ROLES, Account, User
from igny8_core.auth.permissions import CanManageBilling
from igny8_core.business.billing.models import CreditGrant, Invoice
from igny8_core.business.billing.selectors import spendable_credits
from igny8_core.business.billing.usage import today_of
from igny8_core.common import clock
from igny8_core.common.errors import DomainError
from igny8_core.web.frame.account_pages import account_page
from igny8_core.web.frame.people import member
from igny8_core.web.frame.rendering import for_people
from igny8_core.web.invoices.views import shown_invoice
from igny8_core.web.pay.policy import CARD_FORM_POLICY
from igny8_core.web.pay.states import open_attempt, page_context
from igny8_core.web.pay.views import MARKS_OF_RETURN
from igny8_core.web.plan.methods import card_form, card_type, saved_of
from igny8_core.web.purchase.offers import package_choices, pay_choices, why_no_purchase


class NotForThisRole(DomainError):
    code = "permission_denied"
    http_status = 403
    text = CanManageBilling.message


@require_safe
@for_people
@member
def purchase(request: HttpRequest, person: User, account: Account) -> HttpResponse:
    """GET /account/credits/purchase: owners and admins buy credits."""
    _require_manager(person)
    saved = saved_of(account, today_of(account, clock.now()))
    form = card_form()
    context = {
        "packages": package_choices(request.GET.get("package", "")),
        "ways": pay_choices(account, saved),
        "closed": why_no_purchase(account),
        "balance": spendable_credits(account),
        "form": form,
        "card_type": card_type(),
    }
    return _with_card_form(
        account_page(request, person, account, "account_purchase", "purchase/purchase.html", context)
    )


@require_safe
@for_people
@member
def order(request: HttpRequest, person: User, account: Account, invoice_id: int) -> HttpResponse:
    """GET /account/credits/purchase/<invoice>: how far an order is, and what is left to do."""
    _require_manager(person)
    invoice = shown_invoice(account, invoice_id)
    attempt = open_attempt(invoice)
    saved = saved_of(account, today_of(account, clock.now()))
    context = {
        **page_context(invoice, has_returned=bool(MARKS_OF_RETURN & request.GET.keys())),
        "attempt": attempt,
        "begins": request.GET.get("pay", ""),
        "choices": pay_choices(account, saved, attempt.payment_method if attempt else ""),
        "added": _credits_of(invoice),
        "balance": spendable_credits(account),
        "card_type": card_type(),
        "form": card_form(),
        "pay_page": reverse("account_invoice_pay", args=[invoice.pk]),
        "order_page": reverse("account_order", args=[invoice.pk]),
    }
    return _with_card_form(account_page(request, person, account, "account_purchase", "purchase/order.html", context))


def _require_manager(person: User) -> None:
    if person.role not in MANAGER_ROLES:
        raise NotForThisRole()


def _credits_of(invoice: Invoice) -> int:
    """The credits that the invoice's payment granted; 0 before it is paid."""
    granted = CreditGrant.objects.filter(account_id=invoice.account_id, source=f"invoice:{invoice.pk}").first()
    return granted.amount if granted else 0


def _with_card_form(response: HttpResponse) -> HttpResponse:
    policy: dict[str, Any] = CARD_FORM_POLICY if "stripe_js" in card_form() else {}
    if policy:
        response._csp_replace = policy  # type: ignore[attr-defined]
    return response
