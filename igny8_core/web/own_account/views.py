"""An account of one's own, for who has a login and belongs to no team: removed from one, or left it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from igny8_core.auth.models import User
from igny8_core.auth.selectors import has_made_an_account
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.business.signup.service import begin_account
from igny8_core.common.errors import DomainError
from igny8_core.web.frame.forms import PageForm, status_of, with_retry
from igny8_core.web.frame.limits import count
from igny8_core.web.frame.people import signed_in
from igny8_core.web.frame.rendering import for_people, page
from igny8_core.web.own_account.forms import OwnAccountForm


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@signed_in
def own_account(request: HttpRequest, person: User) -> HttpResponse:
    """/own-account: begin an account; leads home, or to the payment of what was ordered."""
    if person.account_id is not None:
        return HttpResponseRedirect(reverse("home"), status=303)
    form = OwnAccountForm(request.POST if request.method == "POST" else None)
    refusal: DomainError | None = None
    if form.is_bound and form.is_valid():
        try:
            count(request, "register")
            return HttpResponseRedirect(_begun(request, person, form), status=303)
        except DomainError as refused:
            refusal = refused
            form.refuse(refused)
    context = {"form": form, "had_trial": has_made_an_account(person)}
    return with_retry(page(request, "own_account/form.html", context, status=status_of(form, refusal)), refusal)


def _begun(request: HttpRequest, person: User, form: PageForm) -> str:
    said = form.cleaned_data
    country = {"billing_country": said["billing_country"]} if said["billing_country"] else {}
    signup = begin_account(person, account_name=said["account_name"], plan_slug=said["plan_slug"], billing=country)
    messages.success(request, _("Your account is ready."))
    return pay_link(signup.invoice) if signup.invoice else reverse("home")
