"""The page where an invoice is paid with the link of a mail, without logging in.

GET changes nothing. Each POST does one thing and leads back to the page, which reads from the database how far the
payment is: so going back, reloading and opening the link twice are harmless.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from igny8_core.business.billing.errors import AuthenticationRequired, GatewayNotConfigured, PaymentDeclined
from igny8_core.business.billing.gateways import GATEWAYS, traits_of
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.collection.attempts import NextStep
from igny8_core.business.billing.services.collection.gateway_payments import complete_payment, pay_through_gateway
from igny8_core.business.billing.services.invoices.pay_links import invoice_of_pay_link
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.errors import DomainError, NotFound
from igny8_core.common.text import showable
from igny8_core.web.frame.limits import count
from igny8_core.web.payment_states import open_attempt, page_context
from igny8_core.web.policy import CARD_FORM_POLICY, STRIPE_JS, page_policy

# What Stripe and PayPal add to the address when they send a customer back.
MARKS_OF_RETURN = frozenset({"payment_intent", "token"})

View = Callable[..., HttpResponse]
InvoiceView = Callable[..., HttpResponse]


def _for_the_invoice(view: InvoiceView) -> View:
    """Give the view the invoice of the link, and turn refusals into pages."""

    @wraps(view)
    def answer(request: HttpRequest, token: str, **named: str) -> HttpResponse:
        try:
            count(request, "pay_page")
            invoice = invoice_of_pay_link(token)
        except DomainError as refusal:
            return _sealed(_refused(request, refusal))
        try:
            return _sealed(view(request, invoice, token, **named))
        except DomainError as refusal:
            invoice = invoice_of_pay_link(token)
            context = {**page_context(invoice), "problem": refusal.text}
            return _sealed(_shown(request, "payment", token, context, refusal))

    return answer


def _for_the_form(view: InvoiceView) -> View:
    """As _for_the_invoice, for what a form posts to; who opens the address by itself is led to the page."""
    guarded = _for_the_invoice(view)

    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def answer(request: HttpRequest, token: str, **named: str) -> HttpResponse:
        return guarded(request, token, **named) if request.method == "POST" else _back(token)

    return answer


@require_safe
@_for_the_invoice
def payment_page(request: HttpRequest, invoice: Invoice, token: str) -> HttpResponse:
    """GET /pay/<token>/: the invoice, and what can be done about it."""
    context = page_context(invoice, has_returned=bool(MARKS_OF_RETURN & request.GET.keys()))
    return _shown(request, "payment", token, context)


@_for_the_form
def pay_by_card(request: HttpRequest, invoice: Invoice, token: str) -> HttpResponse:
    """POST /pay/<token>/card/: begin a card payment and show Stripe's form for it."""
    attempt = PaymentService.create_stripe_payment(invoice, return_url=_address(token))
    if attempt.charge is None or attempt.next_step not in {NextStep.ENTER_CARD, NextStep.AUTHENTICATE}:
        return _back(token)
    return _card_form(request, invoice, token, attempt.charge.client_secret)


@_for_the_form
def pay_elsewhere(request: HttpRequest, invoice: Invoice, token: str, payment_method: str) -> HttpResponse:
    """POST /pay/<token>/paypal/: begin an attempt and lead to the gateway's page, where the customer approves it."""
    if payment_method not in GATEWAYS or not traits_of(payment_method).approves_elsewhere:
        raise NotFound()
    attempt = pay_through_gateway(invoice, payment_method, return_url=_address(token))
    if attempt.charge is None or attempt.next_step != NextStep.APPROVE:
        return _back(token)
    return HttpResponseRedirect(attempt.charge.approve_url)


@_for_the_form
def complete(request: HttpRequest, invoice: Invoice, token: str) -> HttpResponse:
    """POST /pay/<token>/complete/: take what the customer approved, and see how far the gateway is."""
    attempt = open_attempt(invoice)
    if attempt:
        # A refusal is recorded with its reason, which the page shows.
        with suppress(PaymentDeclined, AuthenticationRequired):
            complete_payment(attempt)
    return _back(token)


def _card_form(request: HttpRequest, invoice: Invoice, token: str, client_secret: str) -> HttpResponse:
    """Stripe's form on a page of ours, or the page of a stand-in."""
    keys = settings.STRIPE
    if keys is None:
        raise GatewayNotConfigured()
    if keys.is_fake:
        query = urlencode({"client_secret": client_secret, "return_url": _address(token)})
        return HttpResponseRedirect(f"{keys.api_base}/fake/stripe/pay?{query}")
    form = {
        "stripe_js": STRIPE_JS,
        "public_key": keys.public_key,
        "client_secret": client_secret,
        "return_url": _address(token),
    }
    response = _shown(request, "card", token, page_context(invoice) | form)
    response._csp_replace = page_policy() | CARD_FORM_POLICY  # type: ignore[attr-defined]
    return response


def _address(token: str) -> str:
    return f"{settings.BASE_URL}{reverse('payment_page', args=[token])}"


def _back(token: str) -> HttpResponse:
    return _sealed(HttpResponseRedirect(reverse("payment_page", args=[token]), status=303))


def _shown(
    request: HttpRequest, page: str, token: str, context: dict[str, Any], refusal: DomainError | None = None
) -> HttpResponse:
    html = showable(render_to_string(f"web/{page}.html", {**context, "token": token}, request))
    return _with_status(HttpResponse(html), refusal)


def _refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    context = {"company": settings.COMPANY_NAME, "refusal": refusal}
    return _with_status(HttpResponse(render_to_string("web/refused.html", context, request)), refusal)


def _with_status(response: HttpResponse, refusal: DomainError | None) -> HttpResponse:
    if refusal:
        response.status_code = refusal.http_status
        if refusal.retry_after:
            response["Retry-After"] = str(refusal.retry_after)
    return response


def _sealed(response: HttpResponse) -> HttpResponse:
    """The address is a key: nobody keeps the page, and search engines do not list it.

    The site's Referrer-Policy (same-origin) keeps it from other sites. With no-referrer, browsers would send
    "Origin: null" with our forms, which the CSRF check must refuse.
    """
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    if not hasattr(response, "_csp_replace"):
        response._csp_replace = page_policy()  # type: ignore[attr-defined]
    # Django's line about a refused request would write the key into the log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
