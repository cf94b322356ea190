"""How every address of a pay link answers: throttled, sealed, and each refusal as a page.

The link is the key: whoever has it sees the one invoice and may pay it, and there is no login.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices.pay_links import invoice_of_pay_link
from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop
from igny8_core.common.rate_limits import seconds_to_wait
from igny8_core.common.text import showable
from igny8_core.web.frame.limits import count
from igny8_core.web.pay.logo import logo_address
from igny8_core.web.pay.policy import page_policy
from igny8_core.web.pay.states import page_context

View = Callable[..., HttpResponse]


class TooManyOfLink(DomainError):
    code = "throttled"
    http_status = 429
    text = gettext_noop("This was done very often with this link. Wait a minute, then try again.")


def for_the_invoice(view: View) -> View:
    """Give the view the invoice of the link, and turn refusals into pages."""

    @wraps(view)
    def answer(request: HttpRequest, token: str, **named: str) -> HttpResponse:
        try:
            count(request, "pay_page")
            return sealed(_answered(view, request, token, named))
        except DomainError as refusal:
            return sealed(refused(request, refusal))

    return answer


def _answered(view: View, request: HttpRequest, token: str, named: dict[str, str]) -> HttpResponse:
    """What the view answers, or the page with what was refused. Raises what refuses the link itself."""
    invoice = invoice_of_pay_link(token)
    try:
        return view(request, invoice, token, **named)
    except DomainError as refusal:
        # Read anew: the view may have changed it, and the link may open nothing any more.
        invoice = invoice_of_pay_link(token)
        return shown(request, "page", token, with_problem(invoice, refusal), refusal)


def for_the_form(view: View) -> View:
    """As for_the_invoice, for what a form posts to; who opens the address by itself is led to the page."""
    guarded = for_the_invoice(view)

    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def answer(request: HttpRequest, token: str, **named: str) -> HttpResponse:
        return guarded(request, token, **named) if request.method == "POST" else back_to_page(token)

    return answer


def count_link(invoice: Invoice, scope: str) -> None:
    """Count a request with a link of the invoice, from wherever. Raises TooManyOfLink."""
    wait = seconds_to_wait(scope, f"invoice {invoice.pk}") if settings.THROTTLING else None
    if wait is not None:
        raise TooManyOfLink(retry_after=wait)


def with_problem(invoice: Invoice, refusal: DomainError) -> dict[str, Any]:
    """The page as it is now, with what was refused just now."""
    return {**page_context(invoice), "problem": refusal.text}


def address_of(token: str) -> str:
    """The whole address of the page."""
    return f"{settings.BASE_URL}{reverse('payment_page', args=[token])}"


def back_to_page(token: str, query: str = "") -> HttpResponse:
    """To the page, which reads from the database how far the payment is."""
    return sealed(HttpResponseRedirect(f"{reverse('payment_page', args=[token])}{query}", status=303))


def shown(
    request: HttpRequest, page: str, token: str, context: dict[str, Any], refusal: DomainError | None = None
) -> HttpResponse:
    """A page of the link, with the status of what was refused."""
    html = showable(render_to_string(f"web/pay/{page}.html", {**_frame(), **context, "token": token}, request))
    return _with_status(HttpResponse(html), refusal)


def refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """The page of a link that opens nothing."""
    context = {**_frame(), "refusal": refusal, "heading": HEADINGS.get(refusal.http_status, HEADINGS[429])}
    return _with_status(HttpResponse(render_to_string("web/pay/refused.html", context, request)), refusal)


def _frame() -> dict[str, str]:
    """Whose page it is, and where to ask."""
    return {"logo": logo_address(), "support_email": settings.SUPPORT_EMAIL}


HEADINGS = {
    404: gettext_lazy("This link opens nothing"),
    410: gettext_lazy("This link does not work any more"),
    429: gettext_lazy("One moment, please"),
}


def _with_status(response: HttpResponse, refusal: DomainError | None) -> HttpResponse:
    if refusal:
        response.status_code = refusal.http_status
        if refusal.retry_after:
            response["Retry-After"] = str(refusal.retry_after)
    return response


def sealed(response: HttpResponse) -> HttpResponse:
    """The address is a key: nobody keeps the page, and search engines do not list it.

    The site's Referrer-Policy (same-origin) keeps it from other sites. With no-referrer, browsers would send
    "Origin: null" with our forms, which the CSRF check must refuse.
    """
    response.headers.setdefault("Cache-Control", "no-store")
    response["X-Robots-Tag"] = "noindex, nofollow"
    if not hasattr(response, "_csp_replace") and "Content-Security-Policy" not in response:
        response._csp_replace = page_policy()  # type: ignore[attr-defined]
    # Django's line about a refused request would write the key into the log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
