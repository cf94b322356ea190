"""The operator's own second factor: the code at the login, setting it up, and what can be changed later."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminTextInputWidget

from igny8_core.auth.confirming import note_code, require_confirmed_operator
from igny8_core.auth.devices import place_of
from igny8_core.auth.errors import SecondFactorRequired, SecondFactorWrong, TooManyTries
from igny8_core.auth.models import User
from igny8_core.auth.permissions import operator_of
from igny8_core.auth.services.login_guard import note_place
from igny8_core.auth.services.one_time_codes import require_code
from igny8_core.auth.services.second_factor import (
    begin_enrolment,
    drop_enrolment,
    enrolment_of,
    factor_state,
    finish_enrolment,
    renew_recovery_codes,
    switch_off,
)
from igny8_core.auth.services.sessions import note_login
from igny8_core.common.errors import DomainError
from igny8_core.common.middleware import CONSOLE_PREFIX
from igny8_core.common.qr_code import path_of_text


class CodeForm(forms.Form):
    """A code of the device, or a recovery code."""

    otp = forms.CharField(
        label="Code",
        max_length=50,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "autofocus": True}),
        error_messages={"required": "Type the code that your authenticator app shows."},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code_page(request: HttpRequest) -> HttpResponse:
    """/admin/second-factor/code/: the step between password and console."""
    leads_to = _local(request.POST.get("next") or request.GET.get("next", ""))
    # The guard notices who is half logged in when somebody asks who it is.
    is_whole = request.user.is_authenticated
    operator: User | None = getattr(request, "half_operator", None)
    if is_whole or operator is None:
        return HttpResponseRedirect(leads_to if is_whole else reverse("admin:login"))
    if "leave" in request.POST:
        logout(request)
        return HttpResponseRedirect(reverse("admin:login"))
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            require_code(operator, form.cleaned_data["otp"])
            note_code(request, operator)
            note_place(operator, place_of(request))
            note_login(operator, "console")
            return HttpResponseRedirect(leads_to)
        except (SecondFactorRequired, SecondFactorWrong, TooManyTries) as refusal:
            form.add_error("otp", refusal.text)
    context = {**admin.site.each_context(request), "title": "Second step", "form": form, "next": leads_to}
    return TemplateResponse(request, "admin/second_factor_code.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def factor_page(request: HttpRequest) -> HttpResponse:
    """/admin/second-factor/: how it stands with one's own, and what can be done about it."""
    operator = operator_of(request)
    wanted = request.POST.get("do", "")
    if wanted == "enable":
        return _enabled(request, operator)
    if wanted == "stop":
        drop_enrolment(operator)
    if wanted in {"begin", "renew", "disable"}:
        require_confirmed_operator(request)
        return _changed(request, operator, wanted)
    if request.method == "POST":
        return HttpResponseRedirect(request.get_full_path())
    return _shown(request, operator, CodeForm())


def _changed(request: HttpRequest, operator: User, wanted: str) -> HttpResponse:
    try:
        if wanted == "renew":
            return _codes(request, renew_recovery_codes(operator), is_new=False)
        if wanted == "begin":
            begin_enrolment(operator)
        else:
            switch_off(operator)
            messages.success(request, "Your second factor is off.")
    except DomainError as refusal:
        messages.warning(request, refusal.text)
    return HttpResponseRedirect(request.get_full_path())


def _enabled(request: HttpRequest, operator: User) -> HttpResponse:
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            codes = finish_enrolment(operator, form.cleaned_data["otp"])
        except DomainError as refusal:
            form.add_error("otp", (refusal.errors or {}).get("otp", [refusal.text]))
        else:
            note_code(request, operator)
            return _codes(request, codes, is_new=True)
    return _shown(request, operator, form)


def _codes(request: HttpRequest, codes: list[str], *, is_new: bool) -> HttpResponse:
    leads_to = _local(request.GET.get("next", ""))
    return _answer(request, "admin/recovery_codes.html", {"codes": codes, "is_new": is_new, "leads_to": leads_to})


def _shown(request: HttpRequest, operator: User, form: CodeForm) -> HttpResponse:
    enrolment, state = enrolment_of(operator), factor_state(operator)
    facts = {
        "form": form,
        "state": state,
        # Nothing else can be opened before.
        "is_nav_sidebar_enabled": state.is_on or not state.is_compulsory,
        "enrolment": enrolment,
        "qr": path_of_text(enrolment.address) if enrolment else None,
    }
    return _answer(request, "admin/second_factor.html", facts)


def _answer(request: HttpRequest, template: str, facts: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": "Second factor", **facts})


def _local(address: str) -> str:
    is_ours = address.startswith(CONSOLE_PREFIX) and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_ours else reverse("admin:index")


urlpatterns = [
    path("", admin.site.admin_view(factor_page), name="console_second_factor"),
    path("code/", code_page, name="console_code"),
]
