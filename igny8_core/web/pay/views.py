"""The page where an invoice is paid with the link of a mail, without logging in.

GET changes nothing. Each POST does one thing and leads back to the page, which reads from the database how far the
payment is: so going back, reloading and opening the link twice are harmless.
"""

from contextlib import suppress
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from igny8_core.business.billing.errors import (
    AuthenticationRequired,
    GatewayNotConfigured,
    PaymentDeclined,
    PdfUnavailable,
)
from igny8_core.business.billing.gateways import GATEWAYS, traits_of
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.services.collection.attempts import NextStep
from igny8_core.business.billing.services.collection.gateway_payments import complete_payment, pay_through_gateway
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.business.billing.services.invoices.pay_links import invoice_of_pay_link
from igny8_core.business.billing.services.payment_methods.kept_cards import renewals_need_card_of
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.api.downloads import pdf_response
from igny8_core.common.errors import DomainError, NotFound
from igny8_core.common.marks import gettext_noop
from igny8_core.web.frame.limits import count
from igny8_core.web.pay.door import (
    address_of,
    back_to_page,
    count_link,
    for_the_form,
    for_the_invoice,
    sealed,
    shown,
)
from igny8_core.web.pay.policy import CARD_FORM_POLICY, STRIPE_JS, page_policy
from igny8_core.web.pay.states import open_attempt, page_context, version_of

# What Stripe and PayPal add to the address when they send a customer back.
MARKS_OF_RETURN = frozenset({"payment_intent", "token"})
# What we add when the gateway was asked and the invoice still waits for its payment.
UNPAID = "unpaid"
# What the button sends that pays by a card and does not have it saved.
ONCE = "once"


class NoDocument(DomainError):
    code = "pdf_unavailable"
    http_status = 503
    text = gettext_noop("The PDF cannot be made at the moment. Try again later.")


@require_safe
@for_the_invoice
def payment_page(request: HttpRequest, invoice: Invoice, token: str) -> HttpResponse:
    """GET /pay/<token>/: the invoice, and what can be done about it."""
    has_returned = bool(MARKS_OF_RETURN & request.GET.keys())
    context = page_context(invoice, has_returned=has_returned, was_asked=UNPAID in request.GET)
    return shown(request, "page", token, context)


@require_safe
def state(request: HttpRequest, token: str) -> HttpResponse:
    """GET /pay/<token>/state/: which version of the page is the present one, for the script of an open page.

    Counted apart from the page: who waits with the page open must still be able to load it.
    """
    try:
        count(request, "pay_state")
        version = version_of(invoice_of_pay_link(token))
    except DomainError as refusal:
        headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
        return sealed(JsonResponse({"code": refusal.code}, status=refusal.http_status, headers=headers))
    etag = f'"{version}"'
    if request.headers.get("If-None-Match") == etag:
        return sealed(HttpResponseNotModified(headers={"ETag": etag}))
    return sealed(JsonResponse({"version": version}, headers={"ETag": etag}))


@require_safe
@for_the_invoice
def invoice_pdf(request: HttpRequest, invoice: Invoice, token: str) -> HttpResponse:
    """GET /pay/<token>/invoice.pdf: the invoice as a document, which says whether it is paid."""
    # Drawing one takes a second of processor time.
    count(request, "pay_pdf")
    count_link(invoice, "pay_pdf")
    try:
        content = pdf.render_invoice(invoice)
    except PdfUnavailable as fault:
        # Its own sentence is for who runs the server.
        text = _("The PDF cannot be made at the moment. Try again later, or write to %(address)s if you need it now.")
        raise NoDocument(text % {"address": settings.SUPPORT_EMAIL}, retry_after=fault.retry_after) from fault
    return pdf_response(content, invoice.invoice_number)


@for_the_form
def pay_by_card(request: HttpRequest, invoice: Invoice, token: str) -> HttpResponse:
    """POST /pay/<token>/card/: begin a card payment and show Stripe's form for it.

    A card that renewals need is saved, as page and form say, unless the customer pressed the button for this once.
    """
    saves_card = request.POST.get("card") != ONCE and renewals_need_card_of(invoice)
    attempt = PaymentService.create_stripe_payment(invoice, save_card=saves_card, return_url=address_of(token))
    if attempt.charge is None or attempt.next_step not in {NextStep.ENTER_CARD, NextStep.AUTHENTICATE}:
        return back_to_page(token)
    return _card_form(request, invoice, token, attempt.charge.client_secret, saves_card=saves_card)


@for_the_form
def pay_elsewhere(request: HttpRequest, invoice: Invoice, token: str, payment_method: str) -> HttpResponse:
    """POST /pay/<token>/paypal/: begin an attempt and lead to the gateway's page, where the customer approves it."""
    if payment_method not in GATEWAYS or not traits_of(payment_method).approves_elsewhere:
        raise NotFound()
    attempt = pay_through_gateway(invoice, payment_method, return_url=address_of(token))
    if attempt.charge is None or attempt.next_step != NextStep.APPROVE:
        return back_to_page(token)
    return HttpResponseRedirect(attempt.charge.approve_url)


@for_the_form
def complete(request: HttpRequest, invoice: Invoice, token: str) -> HttpResponse:
    """POST /pay/<token>/complete/: take what the customer approved, and see how far the gateway is."""
    attempt = open_attempt(invoice)
    if attempt:
        # A refusal is recorded with its reason, which the page shows.
        with suppress(PaymentDeclined, AuthenticationRequired):
            complete_payment(attempt)
    # Read anew: what was taken just now may have paid it.
    is_unpaid = invoice_of_pay_link(token).status == InvoiceStatus.PENDING
    return back_to_page(token, f"?{UNPAID}" if is_unpaid else "")


def _card_form(
    request: HttpRequest, invoice: Invoice, token: str, client_secret: str, *, saves_card: bool
) -> HttpResponse:
    """Stripe's form on a page of ours, or the page of a stand-in."""
    keys = settings.STRIPE
    if keys is None:
        raise GatewayNotConfigured()
    if keys.is_fake:
        query = urlencode({"client_secret": client_secret, "return_url": address_of(token)})
        return HttpResponseRedirect(f"{keys.api_base}/fake/stripe/pay?{query}")
    form = {
        "stripe_js": STRIPE_JS,
        "public_key": keys.public_key,
        "client_secret": client_secret,
        "return_url": address_of(token),
    }
    response = shown(request, "card", token, page_context(invoice) | form | {"saves_card": saves_card})
    response._csp_replace = page_policy() | CARD_FORM_POLICY  # type: ignore[attr-defined]
    return response
