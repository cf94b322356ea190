"""The end of an operator's look at a customer's pages."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from igny8_core.auth.models import CustomerLoginEnd
from igny8_core.auth.services.customer_logins import end_customer_login
from igny8_core.auth.services.page_sessions import is_operators
from igny8_core.auth.session_cookie import cookie_of, drop_cookie
from igny8_core.web.frame.rendering import for_people


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def end_look(request: HttpRequest) -> HttpResponse:
    """POST /end-look leads back to the account in the console; who opens the address by itself changes nothing."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("home"))
    ended = end_customer_login(cookie_of(request), CustomerLoginEnd.BUTTON)
    address = reverse("admin:igny8_auth_account_change", args=[ended.account_id]) if ended else reverse("landing")
    response = HttpResponseRedirect(address, status=303)
    if is_operators(cookie_of(request)):
        drop_cookie(response)
    return response
