"""What people see instead of a page: handler400 … handler500, a failed CSRF check, and what services refuse.

Below /api/ programs get their envelope, below /admin/ operators get a page of the console.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from igny8_core.auth.selectors import names_of_permissions, people_to_ask
from igny8_core.common.api import error_views
from igny8_core.common.api.exceptions import RETRY_AFTER_SECONDS
from igny8_core.common.errors import DomainError
from igny8_core.common.middleware import API_PREFIX, CONSOLE_PREFIX
from igny8_core.common.request_id import may_have_changed
from igny8_core.common.security_log import security_event
from igny8_core.common.written import language_tag


def refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """The page for what a service refused."""
    # "Not found." says no more than the title does.
    text = _no_such_page() if refusal.http_status == 404 else refusal.text
    response = _answer(request, refusal.http_status, text)
    if refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    if _is_api(request):
        return error_views.bad_request(request, exception)
    return _answer(request, 400, _("The request was malformed. Go back, load the page again and repeat what you did."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    _tell_security_log(request)
    if _is_api(request):
        return error_views.permission_denied(request, exception)
    text = _("Your login may not do this. Ask somebody who has the right to.")
    if not _is_of_the_console(request):
        return _answer(request, 403, text)
    missing = _missing_permissions(request.user)
    whom = [person.full_name for person in people_to_ask() if person.pk != request.user.pk]
    return _answer(request, 403, text, facts={"missing": names_of_permissions(missing), "whom": whom})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    if _is_api(request):
        return error_views.not_found(request, exception)
    return _answer(request, 404, _no_such_page())


def no_such_page(request: HttpRequest, address: str) -> HttpResponse:
    """What no page has; a view, so that a developer's server shows people what the others show."""
    return not_found(request, Http404(address))


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500; Django has logged the exception. Asks nothing of the database, which may be the reason."""
    if _is_api(request):
        return error_views.server_error(request)
    text = _("This is our fault. We were told of it. Try again in a minute.")
    context = {**_of_the_site(), **_words(500, text)}
    return HttpResponse(render_to_string("web/refusals/refused.html", context), status=500)


def busy(request: HttpRequest) -> HttpResponse:
    """For a database that is busy or out of reach; asks nothing of it."""
    text = (
        _("The service was busy while this was carried out. It may have been done: look before you do it again.")
        if may_have_changed()
        else _("The service is busy. Nothing was changed. Try again in a moment.")
    )
    context = {**_of_the_site(), **_words(503, text)}
    response = HttpResponse(render_to_string("web/refusals/refused.html", context), status=503)
    response["Retry-After"], response["Cache-Control"] = str(RETRY_AFTER_SECONDS), "no-store"
    return response


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: a form that was open for long, was sent from elsewhere, or by a browser without cookies."""
    _tell_security_log(request, reason="csrf")
    if _is_api(request):
        return error_views.permission_denied(request, PermissionError(reason))
    text = _(
        "This form was open for a long time, or your browser keeps no cookies. Nothing was changed. "
        "Go back, load the page again and send the form once more."
    )
    return _answer(request, 403, text, title=_("Please send that again"))


def _tell_security_log(request: HttpRequest, **facts: str) -> None:
    user = getattr(request, "user", None)
    who = {"user": getattr(user, "pk", None), "account": getattr(user, "account_id", None)}
    security_event("authz_fail", "denied", method=request.method, path=request.path, **who, **facts)


def _missing_permissions(operator: Any) -> list[str]:
    """What the operator was asked for and does not have. Where seeing is enough, changing is not named beside it."""
    missed = list(dict.fromkeys(operator.missed_permissions))
    return [code for code in missed if ".change_" not in code or code.replace(".change_", ".view_") not in missed]


def _answer(
    request: HttpRequest, status: int, text: str, title: str = "", facts: dict[str, Any] | None = None
) -> HttpResponse:
    words = _words(status, text) | ({"title": title} if title else {}) | (facts or {})
    if _is_of_the_console(request):
        html = render_to_string("admin/refused.html", {**admin.site.each_context(request), **words}, request)
    else:
        html = render_to_string("web/refusals/refused.html", words, request)
    response = HttpResponse(html, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _of_the_site() -> dict[str, Any]:
    """What a page knows without asking the database. Who reads it is not known, so nobody is asked to sign in."""
    site = {"company": settings.COMPANY_NAME, "support_email": settings.SUPPORT_EMAIL, "locale": language_tag()}
    return {**site, "is_fault": True}


def _words(status: int, text: str) -> dict[str, Any]:
    titles = {
        400: _("That did not work"),
        403: _("You may not open this"),
        404: _("There is nothing here"),
        409: _("That does not fit any more"),
        410: _("This link has expired"),
        429: _("One moment, please"),
        500: _("Something went wrong"),
        503: _("One moment, please"),
    }
    return {"status": status, "title": titles.get(status, titles[400]), "text": text}


def _no_such_page() -> str:
    return _("The address is wrong or the page is gone. If a mail led you here, copy its whole link.")


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)


def _is_of_the_console(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return request.path_info.startswith(CONSOLE_PREFIX) and user is not None and user.is_active and user.is_staff
