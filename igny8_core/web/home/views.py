"""What people see first when they are signed in."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from igny8_core.auth.models import MANAGER_ROLES, Account, AccountStatus, User
from igny8_core.auth.selectors import seats_taken, sites_of, terms_of
from igny8_core.business.billing.selectors import live_subscription_of
from igny8_core.business.billing.services.credits.spending import Usage
from igny8_core.business.billing.services.credits.trial import waits_for_credits
from igny8_core.common.errors import DomainError
from igny8_core.common.written import count_text
from igny8_core.web.frame.forms import status_of, with_retry
from igny8_core.web.frame.people import signed_in
from igny8_core.web.frame.rendering import for_people, page
from igny8_core.web.home.credits import credits_of
from igny8_core.web.home.meter import MeterForm, why_not_try
from igny8_core.web.signup.order import why_no_order


@require_safe
@for_people
@signed_in
def home(request: HttpRequest, person: User) -> HttpResponse:
    """GET /home: the account at a glance."""
    if person.account is None:
        return page(request, "home/without_account.html")
    return _shown(request, person, person.account, MeterForm())


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@signed_in
def try_meter(request: HttpRequest, person: User) -> HttpResponse:
    """POST /home/try: spend some credits to see the meter run; who opens the address is led home."""
    if request.method != "POST" or person.account is None:
        return HttpResponseRedirect(reverse("home"), status=303)
    form = MeterForm(request.POST)
    refusal: DomainError | None = None
    closed = why_not_try(person)
    if closed:
        messages.error(request, closed)
        return HttpResponseRedirect(reverse("home"), status=303)
    if form.is_valid():
        try:
            messages.success(request, _spent_text(form.spend(person.account, person)))
            return HttpResponseRedirect(f"{reverse('home')}#credits", status=303)
        except DomainError as refused:
            refusal = refused
            form.refuse(refused)
    return with_retry(_shown(request, person, person.account, form, refusal), refusal)


def _shown(
    request: HttpRequest, person: User, account: Account, form: MeterForm, refusal: DomainError | None = None
) -> HttpResponse:
    facts = {
        "account": account,
        "terms": terms_of(account),
        "subscription": live_subscription_of(account),
        "sites": sites_of(account, person).order_by("name", "pk"),
        "people": seats_taken(account),
        "credits": credits_of(account),
        "form": form,
        "closed": why_not_try(person),
        "is_manager": person.role in MANAGER_ROLES,
        "may_order": not why_no_order(person, account),
        "trial_waits": account.status == AccountStatus.TRIAL and waits_for_credits(account, person),
    }
    return page(request, "home/home.html", facts, status=status_of(form, refusal))


def _spent_text(usage: Usage) -> str:
    text = ngettext(
        "%(spent)s credit spent. You have %(left)s left.",
        "%(spent)s credits spent. You have %(left)s left.",
        usage.credits,
    )
    return text % {"spent": count_text(usage.credits), "left": count_text(usage.entry.balance_after)}
