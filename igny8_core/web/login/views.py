"""Signing in and out."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from igny8_core.auth.errors import InvalidCredentials, PasswordsBusy
from igny8_core.auth.services.sessions import check_credentials, note_login
from igny8_core.web.frame.forms import status_of, with_retry
from igny8_core.web.frame.limits import TooManyRequests, count
from igny8_core.web.frame.people import local_or_home, person_of, sign_in, sign_out
from igny8_core.web.frame.rendering import for_people, page
from igny8_core.web.login.forms import LoginForm


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def login(request: HttpRequest) -> HttpResponse:
    """/login: e-mail and password; leads on to `next` where that is an address of ours."""
    leads_to = local_or_home(request.POST.get("next") or request.GET.get("next", ""))
    if request.method != "POST" and person_of(request):
        return HttpResponseRedirect(leads_to)
    form = LoginForm(request.POST if request.method == "POST" else None)
    refusal: TooManyRequests | InvalidCredentials | PasswordsBusy | None = None
    if form.is_bound and form.is_valid():
        try:
            count(request, "login", form.cleaned_data["email"])
            person = check_credentials(form.cleaned_data["email"], form.cleaned_data["password"])
            note_login(person, "pages")
            return sign_in(request, person, leads_to)
        except (TooManyRequests, InvalidCredentials, PasswordsBusy) as refused:
            refusal = refused
            form.refuse(refusal)
    context = {"form": form, "next": "" if leads_to == reverse("home") else leads_to}
    return with_retry(page(request, "login/login.html", context, status=status_of(form, refusal)), refusal)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def logout(request: HttpRequest) -> HttpResponse:
    """POST /logout ends the session of this browser at once; who opens the address by itself changes nothing."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("landing"))
    messages.success(request, _("You are signed out."))
    leads_to = request.POST.get("next", "")
    return sign_out(request, local_or_home(leads_to) if leads_to else reverse("login"))
