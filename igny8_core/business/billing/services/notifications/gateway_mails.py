"""What is told of payments at gateways, to customers and to operators. The texts are here: they differ in sentences."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models import InvoiceStatus, Payment, Refund
from igny8_core.business.billing.services.invoices.pay_links import link_to_pay_online, pay_link
from igny8_core.common.mail import Mail, without_links
from igny8_core.common.money import amount_text
from igny8_core.events.models import Event

Facts = dict[str, Any]


@dataclass(frozen=True)
class GatewayNotice:
    """A heading, what happened, why (in words of the gateway or of a person), what to do, and where: link and label."""

    heading: str
    meaning: str
    advice: str
    reason: str = ""
    link: str = ""
    label: str = ""


def told_payment(event: Event) -> Payment:
    """The payment that an event of GATEWAY_NOTICES is about, with its invoice and account."""
    related = ("account__owner", "invoice__account__owner", "invoice__subscription__plan")
    payments = Payment.objects.select_related(*related)
    if event.object_type == Refund._meta.label_lower:
        return payments.get(refunds__pk=event.object_id)
    return payments.get(pk=event.object_id)


def gateway_notice(event: Event, payment: Payment) -> GatewayNotice | None:
    """What is told of an event of GATEWAY_NOTICES; None where nothing has to be told (any more)."""
    return GATEWAY_NOTICES[event.type](payment, event.data)


def gateway_mail(event: Event, payment: Payment, notice: GatewayNotice, recipients: list[str]) -> Mail:
    """The mail that tells it."""
    context = {
        "notice": notice,
        "reason": without_links(notice.reason),
        "payment": payment,
        "amount": amount_text(event.data["amount"], event.data["currency"]),
        "account": without_links(payment.account.name) if event.type in FOR_OPERATORS else "",
    }
    return Mail("gateway_notice", notice.heading, recipients, context)


def _failed(payment: Payment, facts: Facts) -> GatewayNotice | None:
    """Only where the customer was not there: who pays on a page reads it there."""
    is_told_elsewhere = not facts.get("off_session") or facts["code"] == "authentication_required"
    if is_told_elsewhere or payment.invoice.status != InvoiceStatus.PENDING:
        return None
    link = link_to_pay_online(payment.invoice)
    return GatewayNotice(
        f"Your payment for invoice {payment.invoice.invoice_number} did not go through",
        "We tried to collect the amount of this invoice, and it was refused. Nothing was charged.",
        "The invoice stays open. Please pay it with another card or in another way."
        if link
        else "The invoice stays open. Sign in to choose how to pay it.",
        reason=facts["reason"],
        link=link or settings.BASE_URL,
        label="Pay the invoice" if link else f"Open {settings.COMPANY_NAME}",
    )


def _action_required(payment: Payment, facts: Facts) -> GatewayNotice | None:
    if payment.invoice.status != InvoiceStatus.PENDING:
        return None
    return GatewayNotice(
        "Please confirm your payment",
        f"Your bank wants you to confirm the payment of invoice {payment.invoice.invoice_number} yourself. Nothing "
        "was charged yet.",
        "Open the payment page, pay by card there, and follow what your bank asks of you. It takes a minute.",
        link=pay_link(payment.invoice),
        label="Confirm the payment",
    )


def _returned(payment: Payment, facts: Facts) -> GatewayNotice:
    returned = amount_text(facts["returned"], payment.currency)
    number, status = payment.invoice.invoice_number, payment.invoice.status
    is_open = status == InvoiceStatus.PENDING
    why = "it did not fit the invoice" if is_open else "the invoice was closed already"
    return GatewayNotice(
        f"We returned {returned}",
        f"We received a payment for invoice {number} that we could not use: {why}. We sent {returned} back the way it "
        "came.",
        "It can take some days until you see it. "
        + ("The invoice is still to be paid." if is_open else "There is nothing left to do."),
    )


def _needs_review(payment: Payment, facts: Facts) -> GatewayNotice:
    return GatewayNotice(
        f"Payment {payment.pk} needs review",
        "What the gateway says of this payment does not fit what was due, or it has not said anything for days. "
        "Nothing is booked by itself until somebody has looked.",
        "Compare it with the gateway's dashboard. Then let it be checked again on its page, or return the money.",
        reason=facts["reason"],
        **_admin_page(payment),
    )


def _disputed(payment: Payment, facts: Facts) -> GatewayNotice:
    return GatewayNotice(
        f"Payment {payment.pk} is disputed",
        "The customer complained about this payment at their bank or at PayPal, which holds the money back.",
        "Answer in the gateway's dashboard before the day that it names there; without an answer the dispute is lost. "
        "A loss is booked by itself.",
        reason=facts.get("reason", ""),
        **_admin_page(payment),
    )


def _return_ordered(payment: Payment, facts: Facts) -> GatewayNotice:
    return GatewayNotice(
        f"Payment {payment.pk} goes back to the customer",
        "Money came in that pays nothing. Its return was ordered; the customer is told once it is on its way.",
        "There is nothing to do. If the gateway refuses, you get another mail.",
        reason=facts["reason"],
        **_admin_page(payment),
    )


def _refund_failed(payment: Payment, facts: Facts) -> GatewayNotice:
    return GatewayNotice(
        f"A refund of payment {payment.pk} failed",
        "The gateway did not give the money back. No credit note was written and no credits were taken.",
        "Look at the reason, then refund again, or agree with the customer on another way.",
        reason=facts["reason"],
        **_admin_page(payment),
    )


def webhook_given_up(event: Event) -> Mail:
    """The mail, still without recipients, on a message of a gateway that could not be processed."""
    return _message_mail(
        event,
        "was given up",
        "It was tried many times, and something went wrong each time. What it tells of is perhaps not booked here.",
        "Look at the reason and at the object in the gateway's dashboard. Then have the message processed again.",
        reason=event.data["error"],
    )


def webhook_to_review(event: Event) -> Mail:
    """The mail, still without recipients, on a message of a gateway that fits nothing here."""
    return _message_mail(
        event,
        "needs review",
        "The gateway has something of a customer that fits nothing here, and perhaps their money. Nothing was booked.",
        "The reason says what to do. Then have the message processed again, or set it aside.",
        reason=event.data["reason"],
    )


def _message_mail(event: Event, became: str, meaning: str, advice: str, *, reason: str) -> Mail:
    notice = GatewayNotice(
        f"A message of {PaymentMethodType(event.data['provider']).label} {became}",
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
