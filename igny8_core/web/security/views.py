"""The second factor of who is signed in: putting it on, new recovery codes, taking it off."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from igny8_core.auth.models import User
from igny8_core.auth.services.page_sessions import is_operators, session_id_of_cookie
from igny8_core.auth.services.second_factor import (
    begin_enrolment,
    drop_enrolment,
    enrolment_of,
    factor_state,
    finish_enrolment,
    renew_recovery_codes,
    switch_off,
)
from igny8_core.auth.session_cookie import cookie_of
from igny8_core.common.errors import DomainError
from igny8_core.common.qr_code import path_of_text
from igny8_core.web.frame.confirming import confirmed
from igny8_core.web.frame.forms import CodeForm, status_of, with_retry
from igny8_core.web.frame.people import signed_in
from igny8_core.web.frame.rendering import for_people, page


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@signed_in
def security(request: HttpRequest, person: User) -> HttpResponse:
    """/security: how it stands with the second factor, and what can be done about it."""
    wanted = request.POST.get("do", "")
    if wanted == "enable":
        return _enabled(request, person)
    if wanted in {"begin", "renew", "disable"}:
        return _changed(request, person)
    if wanted == "stop":
        drop_enrolment(person)
        return HttpResponseRedirect(reverse("security"), status=303)
    return _shown(request, person, CodeForm())


def _enabled(request: HttpRequest, person: User) -> HttpResponse:
    form = CodeForm(request.POST)
    refusal: DomainError | None = None
    if form.is_valid():
        try:
            session_id = session_id_of_cookie(cookie_of(request))
            codes = finish_enrolment(person, form.cleaned_data["otp"], session_id)
            return page(request, "security/codes.html", {"codes": codes, "is_new": True})
        except DomainError as refused:
            refusal = refused
            form.refuse(refused)
    return with_retry(_shown(request, person, form, refusal), refusal)


@confirmed
def _changed(request: HttpRequest, person: User) -> HttpResponse:
    wanted = request.POST["do"]
    if wanted == "renew":
        return page(request, "security/codes.html", {"codes": renew_recovery_codes(person), "is_new": False})
    if wanted == "begin":
        begin_enrolment(person)
    else:
        switch_off(person)
        messages.success(request, _("The second step is off. Your password alone signs you in now."))
    return HttpResponseRedirect(reverse("security"), status=303)


def _shown(request: HttpRequest, person: User, form: CodeForm, refusal: DomainError | None = None) -> HttpResponse:
    # An operator who looks must not see what makes the customer's codes.
    enrolment = None if is_operators(cookie_of(request)) else enrolment_of(person)
    context = {
        "form": form,
        "state": factor_state(person),
        "enrolment": enrolment,
        "qr": path_of_text(enrolment.address) if enrolment else None,
        "may_begin": person.email_verified_at is not None or person.is_staff,
    }
    return page(request, "security/security.html", context, status=status_of(form, refusal))
