"""What stands before every page of the console: the code of the second factor, and showing once more who one is."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from igny8_core.auth.confirming import needs_code, note_confirmed
from igny8_core.auth.errors import ConfirmationRequired
from igny8_core.auth.models import User
from igny8_core.auth.services.confirmations import prove
from igny8_core.auth.services.second_factor import is_compulsory_for
from igny8_core.common.errors import DomainError
from igny8_core.common.middleware import CONSOLE_PREFIX

PASSWORD, CODE = "confirm_password", "confirm_otp"
NOT_REPEATED = {PASSWORD, CODE, "csrfmiddlewaretoken"}


class OperatorGuardMiddleware:
    """Behind AuthenticationMiddleware: who has not shown all that their login asks for is nobody.

    An operator who gave the password and not yet the code is `request.half_operator`, and is led to the page that asks
    for it. One who must have a second factor and has none is led to set it up. A page that raises ConfirmationRequired
    is answered with one that asks; what that sends has all fields of the first, so the page then does what was asked.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given: Any = request.user
        request.user = SimpleLazyObject(lambda: _whole(request, given))  # type: ignore[assignment]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, named: Any) -> HttpResponse | None:
        """The page that has to come first, if there is one; after the CSRF check."""
        if not request.path_info.startswith(CONSOLE_PREFIX):
            return None
        return _what_comes_first(request) or _confirmed(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page that asks who it is; None leaves everything else to others."""
        is_asked = isinstance(exception, ConfirmationRequired) and request.path_info.startswith(CONSOLE_PREFIX)
        return _asked(request) if is_asked else None


def _whole(request: HttpRequest, user: Any) -> Any:
    is_half = user.is_authenticated and needs_code(request, user)
    # The user itself and no lazy one, so that pages can compare and save it.
    found = getattr(user, "_wrapped", user)
    if not is_half:
        return found
    request.half_operator = found  # type: ignore[attr-defined]
    return AnonymousUser()


def _what_comes_first(request: HttpRequest) -> HttpResponse | None:
    code_page, factor_page = reverse("console_code"), reverse("console_second_factor")
    user = request.user
    if not user.is_authenticated:
        is_half = hasattr(request, "half_operator") and request.path_info != code_page
        return _led(request, code_page) if is_half else None
    if is_compulsory_for(user) and user.second_factor_since is None:
        return None if request.path_info in {factor_page, reverse("admin:logout")} else _led(request, factor_page)
    return None


def _led(request: HttpRequest, page: str) -> HttpResponse:
    came_from = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
    if came_from.startswith(reverse("admin:login")):
        came_from = request.GET.get("next", "")
    address = f"{page}?{urlencode({'next': came_from})}" if came_from else page
    # A script loads dialogs and would put the page into the dialog.
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _confirmed(request: HttpRequest) -> HttpResponse | None:
    """Check password or code that came with the form; None if there is none, or it is right."""
    if request.method != "POST" or not {PASSWORD, CODE} & set(request.POST) or not isinstance(request.user, User):
        return None
    sent = request.POST.copy()
    password, code = (str(sent.pop(name, [""])[-1]) for name in (PASSWORD, CODE))
    request.POST = sent  # type: ignore[assignment]
    try:
        prove(request.user, password=password, otp=code)
    except DomainError as refusal:
        return _asked(request, refusal)
    note_confirmed(request)
    return None


def _asked(request: HttpRequest, refusal: DomainError | None = None) -> HttpResponse:
    operator = request.user
    texts = [text for found in (refusal.errors or {}).values() for text in found] if refusal else []
    sent = [(name, value) for name, values in request.POST.lists() for value in values]
    context = {
        "title": "Is it you?",
        "address": request.get_full_path(),
        "leads_back": getattr(request, "leads_back", reverse("admin:index")),
        "fields": [(name, value) for name, value in sent if name not in NOT_REPEATED],
        "asks_code": isinstance(operator, User) and operator.second_factor_since is not None,
        "problem": (texts or [refusal.text])[0] if refusal else "",
    }
    if request.headers.get("HX-Request"):
        # The dialog keeps open; a script takes it over only from an answer of status 200.
        return HttpResponse(render_to_string("admin/confirm_dialog.html", context, request))
    html = render_to_string("admin/confirm.html", {**admin.site.each_context(request), **context}, request)
    response = HttpResponse(html, status=refusal.http_status if refusal else 403)
    response["Cache-Control"] = "no-store"
    return response
