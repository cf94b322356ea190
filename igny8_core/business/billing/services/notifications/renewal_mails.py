"""Mails to customers about renewals: a card that was declined, a card that expires."""

from calendar import monthrange
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from igny8_core.auth.models import Account
from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.models import AccountPaymentMethod, Invoice, InvoiceStatus, Renewal
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.business.billing.services.payment_methods.saved import saved_card_of
from igny8_core.common.languages import translated
from igny8_core.common.mail import Mail
from igny8_core.common.money import amount_text
from igny8_core.events.models import Event

# The bank's question has a mail of its own (payment.action_required).
TOLD_ELSEWHERE = "authentication_required"


def renewal_facts(invoice: Invoice) -> dict[str, Any]:
    """What the mail with an invoice says of a renewal: its period, and when the saved card is charged, if it is."""
    renewal = Renewal.objects.filter(invoice=invoice).first()
    if renewal is None:
        return {}
    account = invoice.account
    pays_by_card = account.default_payment_method == card_method() and saved_card_of(account) is not None
    return {"renewal": renewal, "charged_on": renewal.next_charge_at if pays_by_card else None}


def charge_failed_mail(event: Event, recipients: list[str]) -> Mail | None:
    """The mail about a declined renewal: after the first decline, and when it is not tried again.

    None if the invoice is not open any more, or the customer knows already.
    """
    renewal = Renewal.objects.select_related("invoice", "subscription__plan").get(pk=event.object_id)
    invoice, facts = renewal.invoice, event.data
    is_news = facts["declines"] <= 1 or facts["next_charge_at"] is None
    if invoice.status != InvoiceStatus.PENDING or facts["code"] == TOLD_ELSEWHERE or not is_news:
        return None
    again = facts["next_charge_at"]
    context = {
        "plan": renewal.subscription.plan.name,
        "invoice": invoice,
        "amount": amount_text(invoice.total, invoice.currency),
        "reason": translated(facts["reason"]),
        "again_on": date.fromisoformat(again[:10]) if again else None,
        "pay_link": pay_link(invoice),
    }
    subject = _("Your card was declined for invoice %(invoice_number)s") % {"invoice_number": invoice.invoice_number}
    return Mail("renewal_declined", subject, recipients, context)


def card_expiring_mail(event: Event, recipients: list[str]) -> Mail | None:
    """The mail about a card that expires; None if it does not pay the renewals any more."""
    card = AccountPaymentMethod.objects.filter(pk=event.object_id, is_default=True, is_enabled=True).first()
    if card is None:
        return None
    facts = event.data
    year, month = facts["exp_year"], facts["exp_month"]
    context = {
        "card": _("%(brand)s ending in %(last4)s")
        % {"brand": facts["brand"].replace("_", " ").title() or _("Card"), "last4": facts["last4"]},
        "last_day": date(year, month, monthrange(year, month)[1]),
        "plan": Account.objects.select_related("plan").get(pk=card.account_id).plan.name,
    }
    return Mail("card_expiring", _("Your card expires soon"), recipients, context)
