"""Who has forgotten their password: asking for a link, and choosing a new one with it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from igny8_core.auth.devices import place_of
from igny8_core.auth.errors import InvalidLink, LinkExpired, PasswordsBusy
from igny8_core.auth.services.mailed_tokens import Purpose, user_of_link
from igny8_core.auth.services.users import request_password_reset, reset_password
from igny8_core.common.errors import DomainError, InvalidInput, TooManyRequests
from igny8_core.web.frame.forms import status_of, with_retry
from igny8_core.web.frame.limits import count, count_email
from igny8_core.web.frame.people import sign_out
from igny8_core.web.frame.rendering import behind_a_key, for_people, page
from igny8_core.web.login.forms import ChosenPasswordForm, ForgottenPasswordForm


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def forgotten_password(request: HttpRequest) -> HttpResponse:
    """/forgotten-password: have a link mailed. The answer is the same whether there is a login with the address."""
    form = ForgottenPasswordForm(request.POST if request.method == "POST" else None)
    refusal: TooManyRequests | None = None
    if form.is_bound and form.is_valid():
        try:
            count(request, "reset_network")
            count_email(request, "reset", form.cleaned_data["email"])
            request_password_reset(form.cleaned_data["email"])
            return HttpResponseRedirect(reverse("password_link_sent"), status=303)
        except TooManyRequests as refused:
            refusal = refused
            form.refuse(refusal)
    return with_retry(page(request, "login/forgotten.html", {"form": form}, status=status_of(form, refusal)), refusal)


@require_safe
@for_people
def password_link_sent(request: HttpRequest) -> HttpResponse:
    """GET /forgotten-password/sent: where to look for the link."""
    return page(request, "login/link_sent.html")


@require_http_methods(["GET", "HEAD", "POST"])
@behind_a_key
def new_password(request: HttpRequest, token: str) -> HttpResponse:
    """/new-password/<token>: choose a new password. Opening the page uses nothing up."""
    form = ChosenPasswordForm(request.POST if request.method == "POST" else None)
    refusal: DomainError | None = None
    try:
        count(request, "token")
        person = user_of_link(token, Purpose.RESET)
        if form.is_bound and form.is_valid():
            reset_password(token, form.cleaned_data["new_password"], place_of(request))
            messages.success(request, _("Your new password is set. You are signed out everywhere; sign in with it."))
            return sign_out(request, reverse("login"))
    except (InvalidLink, LinkExpired) as refused:
        return page(request, "login/link_refused.html", {"refusal": refused}, status=refused.http_status)
    except (InvalidInput, PasswordsBusy) as refused:
        refusal = refused
        form.refuse(refused)
    context = {"form": form, "token": token, "email": person.email}
    return with_retry(page(request, "login/new_password.html", context, status=status_of(form, refusal)), refusal)
