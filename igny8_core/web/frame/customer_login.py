"""Operators who look at the pages as a customer sees them change nothing, by page and by API alike."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from igny8_core.auth.errors import OperatorsOnlyLook
from igny8_core.auth.models import CustomerLogin, CustomerLoginEnd
from igny8_core.auth.services.customer_logins import customer_login_of_cookie, end_customer_login
from igny8_core.auth.services.page_sessions import is_open, is_operators
from igny8_core.auth.session_cookie import cookie_of
from igny8_core.common.api.envelope import failure_response
from igny8_core.common.middleware import API_PREFIX, CONSOLE_PREFIX
from igny8_core.common.security_log import security_event
from igny8_core.web.frame.refusals import refused

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ENDS, LOGS_OUT = "/end-look", "/logout"


class CustomerLoginMiddleware:
    """Refuses whatever would change something, whichever address it is sent to: new addresses are refused too.

    The console stays as it is: there the operator is known by another cookie.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, named: Any) -> HttpResponse | None:
        """The refusal, if there is one; after the CSRF check."""
        cookie = cookie_of(request)
        if request.method in SAFE or not is_operators(cookie) or request.path_info.startswith(CONSOLE_PREFIX):
            return None
        if not is_open(cookie):
            return None  # It is over, and the browser may log in as any other.
        wanted = request.path_info.rstrip("/")
        if wanted == LOGS_OUT:
            end_customer_login(cookie, CustomerLoginEnd.LOGGED_OUT)
        return None if wanted in {ENDS, LOGS_OUT} else _refused(request)


def look_of(request: HttpRequest) -> CustomerLogin | None:
    """The look that this browser's pages are seen in; None for everybody else, without asking the database."""
    cookie = cookie_of(request)
    return customer_login_of_cookie(cookie) if is_operators(cookie) else None


def _refused(request: HttpRequest) -> HttpResponse:
    security_event("authz_fail", "denied", method=request.method, path=request.path, reason="customer login")
    refusal = OperatorsOnlyLook()
    if request.path_info.startswith(API_PREFIX):
        return failure_response(refusal.http_status, refusal.text, refusal.code)
    return refused(request, refusal)
