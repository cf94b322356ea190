"""Signing up in the browser: one form, judged and carried out as the API's registration is."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from igny8_core.auth.errors import EmailTaken, InvalidCredentials
from igny8_core.auth.models import BILLING_DETAILS, User
from igny8_core.auth.services.sessions import check_credentials, note_login
from igny8_core.business.signup.service import register
from igny8_core.common.errors import DomainError
from igny8_core.web.frame.forms import status_of, with_retry
from igny8_core.web.frame.limits import count
from igny8_core.web.frame.people import person_of, sign_in
from igny8_core.web.frame.rendering import for_people, page
from igny8_core.web.signup.card import to_payment
from igny8_core.web.signup.choices import plan_of, what_follows
from igny8_core.web.signup.forms import SignupForm, typed_into


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def signup(request: HttpRequest) -> HttpResponse:
    """/signup: a trial begins, or a paid plan is ordered; leads to the first site, or to the payment."""
    person = person_of(request)
    if person:
        return _known_already(request, person)
    if request.method != "POST":
        return _asked(request, request.GET.get("plan", ""))
    if "show_ways" in request.POST:
        return _shown(request, SignupForm(initial=typed_into(SignupForm, request.POST)))
    form = SignupForm(request.POST)
    return _answered(request, form) if form.is_valid() else _shown(request, form)


def _answered(request: HttpRequest, form: SignupForm) -> HttpResponse:
    refusal: DomainError
    try:
        count(request, "register")
        return _registered(request, form)
    except EmailTaken as taken:
        refusal = taken
        if answer := _came_twice(request, form.cleaned_data):
            return answer
    except DomainError as refused:
        refusal = refused
    form.refuse(refusal)
    return with_retry(_shown(request, form, refusal), refusal)


def _asked(request: HttpRequest, slug: str) -> HttpResponse:
    if slug and plan_of(slug) is None:
        messages.warning(request, _("The plan that you came for is not offered any more. Choose one of these."))
    return _shown(request, SignupForm(initial={"plan_slug": slug}))


def _shown(request: HttpRequest, form: SignupForm, refusal: DomainError | None = None) -> HttpResponse:
    context = {
        "form": form,
        "address": reverse("signup"),
        "is_taken": isinstance(refusal, EmailTaken),
        "terms_version": settings.TERMS_VERSION,
        "terms_address": settings.TERMS_URL or reverse("terms"),
        "privacy_address": settings.PRIVACY_URL or reverse("privacy"),
        "what_follows": what_follows(),
    }
    return page(request, "signup/signup.html", context, status=status_of(form, refusal))


def _registered(request: HttpRequest, form: SignupForm) -> HttpResponse:
    said = form.cleaned_data
    billing: dict[str, str] = {name: said[name] for name in BILLING_DETAILS if said.get(name)}
    signed_up = register(
        email=said["email"],
        password=said["password"],
        first_name=said["first_name"],
        last_name=said["last_name"],
        account_name=said["account_name"],
        plan_slug=said["plan_slug"],
        payment_method=said.get("payment_method", ""),
        billing=billing,
        terms_accepted=True,
    )
    if signed_up.invoice is None:
        messages.success(request, _("Welcome, %(name)s! Your trial has begun.") % {"name": said["first_name"]})
        return sign_in(request, signed_up.user, reverse("sites"))
    return sign_in(request, signed_up.user, to_payment(signed_up.invoice, said["payment_method"]))


def _came_twice(request: HttpRequest, said: dict[str, Any]) -> HttpResponse | None:
    """Sign in who sent the form a second time, or has an account already; None for whose password is another.

    Nobody gets further here than at the login, whose limit counts this as well.
    """
    try:
        count(request, "login", said["email"])
        person = check_credentials(said["email"], said["password"])
    except InvalidCredentials:
        return None
    note_login(person, "pages")
    messages.success(request, _("You had signed up already, so you are signed in now."))
    return sign_in(request, person, reverse("home"))


def _known_already(request: HttpRequest, person: User) -> HttpResponse:
    text = _("You are signed in as %(email)s. To sign up somebody else, sign out first.") % {"email": person.email}
    messages.info(request, text)
    return HttpResponseRedirect(reverse("home"), status=303)
