"""From the order of a plan to its payment; the form for a card opens by itself."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from igny8_core.auth.models import User
from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.business.billing.services.payment_methods.kept_cards import renewals_need_card_of
from igny8_core.web.banner.standing import InvoiceState, standing_of
from igny8_core.web.frame.addresses import path_of
from igny8_core.web.frame.people import signed_in
from igny8_core.web.frame.rendering import for_people, page
from igny8_core.web.pay.policy import page_policy


@require_safe
@for_people
@signed_in
def signup_card(request: HttpRequest, person: User) -> HttpResponse:
    """GET /signup/card: leads on to the card form of the newest invoice that waits for its payment.

    Opening it begins nothing; its form does, which a script sends at once.
    """
    standing = standing_of(person)
    waiting = [each for each in standing.invoices if each.state == InvoiceState.WAITING] if standing else []
    if not waiting:
        return HttpResponseRedirect(reverse("home"), status=303)
    due = max(waiting, key=lambda each: each.invoice.pk)
    pay_page = path_of(pay_link(due.invoice))
    context = {"due": due, "pay_page": pay_page, "token": pay_page.split("/")[2]}
    response = page(request, "signup/card.html", {**context, "saves_card": renewals_need_card_of(due.invoice)})
    response._csp_replace = page_policy()  # type: ignore[attr-defined]
    return response


def to_payment(invoice: Invoice, payment_method: str) -> str:
    """Where the payment of what was just ordered goes on."""
    return reverse("signup_card") if payment_method == card_method() else path_of(pay_link(invoice))
