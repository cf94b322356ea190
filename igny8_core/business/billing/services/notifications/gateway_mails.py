"""Mails to customers and operators about payments at gateways. They share one template and differ in these texts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models import InvoiceStatus, Payment, Refund
from igny8_core.business.billing.services.collection.attempts import RENEWAL_KEY
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.common.languages import translated
from igny8_core.common.mail import Mail
from igny8_core.common.money import amount_text
from igny8_core.common.names import in_mail, without_links
from igny8_core.events.models import Event

Facts = dict[str, Any]


@dataclass(frozen=True)
class GatewayNotice:
    """A heading, what happened, what to do, why (the gateway's or a person's words), and a link with its label."""

    heading: str
    meaning: str
    advice: str
    reason: str = ""
    link: str = ""
    label: str = ""


def payment_of_event(event: Event) -> Payment:
    """The payment that an event in GATEWAY_NOTICES is about, with its invoice and account."""
    related = ("account__owner", "invoice__account__owner", "invoice__subscription__plan")
    payments = Payment.objects.select_related(*related)
    if event.object_type == Refund._meta.label_lower:
        return payments.get(refunds__pk=event.object_id)
    return payments.get(pk=event.object_id)


def gateway_notice(event: Event, payment: Payment) -> GatewayNotice | None:
    """The notice about an event in GATEWAY_NOTICES; None if nobody needs to know (any more)."""
    return GATEWAY_NOTICES[event.type](payment, event.data)


def gateway_mail(event: Event, payment: Payment, notice: GatewayNotice, recipients: list[str]) -> Mail:
    """The mail with a notice."""
    context = {
        "notice": notice,
        "reason": without_links(translated(notice.reason)),
        "payment": payment,
        "amount": amount_text(event.data["amount"], event.data["currency"]),
        "account": in_mail(payment.account.name) if event.type in FOR_OPERATORS else "",
    }
    return Mail("gateway_notice", notice.heading, recipients, context)


def _failed(payment: Payment, facts: Facts) -> GatewayNotice | None:
    """A mail if the customer was not present; a customer who pays on a page reads it there.

    The charge of a renewal has a mail of its own (renewal.charge_failed).
    """
    is_told_elsewhere = not facts.get("off_session") or facts["code"] == "authentication_required"
    is_told_elsewhere = is_told_elsewhere or payment.request_key.startswith(RENEWAL_KEY)
    if is_told_elsewhere or payment.invoice.status != InvoiceStatus.PENDING:
        return None
    return GatewayNotice(
        _("Your payment for invoice %(invoice_number)s did not go through")
        % {"invoice_number": payment.invoice.invoice_number},
        _("We tried to charge this invoice, but the payment was refused. Nothing was charged."),
        _("The invoice stays open. Please pay it with another card or in another way."),
        reason=facts["reason"],
        link=pay_link(payment.invoice),
        label=_("Pay the invoice"),
    )


def _action_required(payment: Payment, facts: Facts) -> GatewayNotice | None:
    if payment.invoice.status != InvoiceStatus.PENDING:
        return None
    return GatewayNotice(
        _("Please confirm your payment"),
        _("Your bank wants you to confirm the payment of invoice %(invoice_number)s. Nothing has been charged yet.")
        % {"invoice_number": payment.invoice.invoice_number},
        _("Open the payment page, pay by card there, and follow your bank's instructions. It takes a minute."),
        link=pay_link(payment.invoice),
        label=_("Confirm the payment"),
    )


def _returned(payment: Payment, facts: Facts) -> GatewayNotice:
    returned = amount_text(facts["returned"], payment.currency)
    number, status = payment.invoice.invoice_number, payment.invoice.status
    is_open = status == InvoiceStatus.PENDING
    why = _("it did not match the invoice") if is_open else _("the invoice was already closed")
    return GatewayNotice(
        _("We returned %(returned)s") % {"returned": returned},
        _(
            "We received a payment for invoice %(number)s that we could not use, because %(why)s. We "
            "have sent %(returned)s back to where it came from."
        )
        % {"number": number, "why": why, "returned": returned},
        _("It can take a few days to arrive.")
        + " "
        + (_("The invoice is still unpaid. Please pay it again.") if is_open else _("You do not need to do anything.")),
        link=pay_link(payment.invoice),
        label=_("Pay the invoice") if is_open else _("See the invoice"),
    )


def _needs_review(payment: Payment, facts: Facts) -> GatewayNotice:
    return GatewayNotice(
        f"Payment {payment.pk} needs review",
        "The gateway's data about this payment does not match what was due, or the gateway has not answered for "
        "days. Nothing is booked automatically until an operator has looked.",
        "Compare the payment with the gateway's dashboard. Then check it again on its page, or return the money.",
        reason=facts["reason"],
        **_admin_page(payment),
    )


def _disputed(payment: Payment, facts: Facts) -> GatewayNotice:
    return GatewayNotice(
        f"Payment {payment.pk} is disputed",
        "The customer disputes this payment at their bank or at PayPal. The money is held back until it is decided.",
        "Answer in the gateway's dashboard before the deadline shown there. Without an answer the dispute is lost. "
        "A loss is booked automatically.",
        reason=facts.get("reason", ""),
        **_admin_page(payment),
    )


def _return_ordered(payment: Payment, facts: Facts) -> GatewayNotice:
    return GatewayNotice(
        f"Payment {payment.pk} goes back to the customer",
        "Money came in that bought nothing. Its return was ordered. The customer gets a mail once it is on its way.",
        "You do not need to do anything. If the gateway refuses the return, you get another mail.",
        reason=facts["reason"],
        **_admin_page(payment),
    )


def _refund_failed(payment: Payment, facts: Facts) -> GatewayNotice:
    return GatewayNotice(
        f"A refund of payment {payment.pk} failed",
        "The gateway did not give the money back. No credit note was written and no credits were taken back.",
        "Read the reason. Then refund again, or agree on another way with the customer.",
        reason=facts["reason"],
        **_admin_page(payment),
    )


def webhook_failed(event: Event) -> Mail:
    """The mail about a webhook message that could not be processed; the caller adds the recipients."""
    return _message_mail(
        event,
        "was given up",
        "It was tried many times and failed each time. What it reports may not be booked here.",
        "Read the reason and look at the object in the gateway's dashboard. Then process the message again.",
        reason=event.data["error"],
    )


def webhook_to_review(event: Event) -> Mail:
    """The mail about a webhook message that matches nothing here; the caller adds the recipients."""
    return _message_mail(
        event,
        "needs review",
        "The gateway reports something about a customer, perhaps a payment, that matches nothing here. Nothing was "
        "booked.",
        "Do what the reason says. Then process the message again, or set it aside.",
        reason=event.data["reason"],
    )


def _message_mail(event: Event, became: str, meaning: str, advice: str, *, reason: str) -> Mail:
    notice = GatewayNotice(
        f"A webhook message from {PaymentMethodType(event.data['provider']).label} {became}",
        meaning,
        advice,
        link=f"{settings.BASE_URL}/admin/billing/webhookevent/{event.object_id}/change/",
        label="Open the message",
    )
    context = {"notice": notice, "reason": without_links(reason), "message": without_links(event.data["type"])}
    return Mail("gateway_notice", notice.heading, [], context)


def _admin_page(payment: Payment) -> dict[str, str]:
    link = f"{settings.BASE_URL}/admin/billing/payment/{payment.pk}/change/"
    return {"link": link, "label": f"Open payment {payment.pk}"}


GATEWAY_NOTICES: dict[str, Callable[[Payment, Facts], GatewayNotice | None]] = {
    "payment.failed": _failed,
    "payment.action_required": _action_required,
    "payment.returned": _returned,
    "payment.needs_review": _needs_review,
    "payment.disputed": _disputed,
    "payment.return_ordered": _return_ordered,
    "refund.failed": _refund_failed,
}
FOR_OPERATORS = frozenset({"payment.needs_review", "payment.disputed", "payment.return_ordered", "refund.failed"})
