"""Ordering a plan for an account that has none: a trial that is to go on, or one that comes back."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from igny8_core.auth.errors import AccountSuspended
from igny8_core.auth.models import BILLING_DETAILS, MANAGER_ROLES, Account, SubscriptionStatus, SuspendedReason, User
from igny8_core.business.billing.selectors import live_subscription_of
from igny8_core.business.signup.service import order_plan
from igny8_core.common.errors import DomainError
from igny8_core.web.frame.forms import status_of, with_retry
from igny8_core.web.frame.limits import count_person
from igny8_core.web.frame.people import signed_in
from igny8_core.web.frame.rendering import for_people, page
from igny8_core.web.signup.card import to_payment
from igny8_core.web.signup.choices import what_follows
from igny8_core.web.signup.forms import OrderForm, typed_into


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@signed_in
def order(request: HttpRequest, person: User) -> HttpResponse:
    """/plan: choose a plan and how it is paid; leads to the payment. Whose account has a plan is led home."""
    account = person.account
    if account is None:
        return HttpResponseRedirect(reverse("own_account"), status=303)
    if why_not := why_no_order(person, account):
        messages.info(request, why_not)
        return HttpResponseRedirect(reverse("home"), status=303)
    if request.method != "POST":
        return _shown(request, OrderForm(account, initial={"plan_slug": request.GET.get("plan", "")}))
    if "show_ways" in request.POST:
        return _shown(request, OrderForm(account, initial=typed_into(OrderForm, request.POST)))
    form = OrderForm(account, request.POST)
    return _answered(request, person, account, form) if form.is_valid() else _shown(request, form)


def why_no_order(person: User, account: Account) -> str:
    """Why the person cannot order a plan here; empty where they can."""
    if person.role not in MANAGER_ROLES:
        return _("Owners and admins of your account order plans. Ask one of them.")
    if account.suspended_reason == SuspendedReason.OPERATOR:
        # Its payment would not lift what an operator decided.
        return str(_(AccountSuspended.text))
    subscription = live_subscription_of(account)
    if subscription is None:
        return ""
    facts = {"plan": subscription.plan.name, "address": settings.SUPPORT_EMAIL}
    if subscription.status == SubscriptionStatus.PENDING_PAYMENT:
        return _("The plan %(plan)s is ordered already. It starts when its invoice is paid.") % facts
    return _("Your account has the plan %(plan)s already. To change it, write to %(address)s.") % facts


def _answered(request: HttpRequest, person: User, account: Account, form: OrderForm) -> HttpResponse:
    said = form.cleaned_data
    try:
        count_person("purchase", person)
        ordered = order_plan(
            person,
            account,
            plan_slug=said["plan_slug"],
            payment_method=said["payment_method"],
            billing={name: said[name] for name in BILLING_DETAILS},
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return with_retry(_shown(request, form, refusal), refusal)
    if ordered.invoice is None:
        raise RuntimeError(f"The order of {said['plan_slug']} made no invoice.")
    return HttpResponseRedirect(to_payment(ordered.invoice, said["payment_method"]), status=303)


def _shown(request: HttpRequest, form: OrderForm, refusal: DomainError | None = None) -> HttpResponse:
    context = {"form": form, "what_follows": what_follows(), "address": reverse("order")}
    return page(request, "signup/order.html", context, status=status_of(form, refusal))
