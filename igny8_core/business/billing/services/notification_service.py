"""E-mails about billing. The outbox (igny8_core/events) calls `handle` for each event, at least once."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import make_msgid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from igny8_core.business.billing.errors import PdfUnavailable
from igny8_core.business.billing.models import CreditTransaction, Invoice, Payment
from igny8_core.business.billing.services import pdf_service
from igny8_core.business.billing.services.documents import money, payment_instructions, showable
from igny8_core.common.errors import InvalidInput
from igny8_core.events.models import Event

# What mail programs make a link of: a scheme, or a dot before what could be a top-level domain.
LINK_LIKE = re.compile(r":(?=//)|(?<=\w)(?=\.[^\W\d_]{2})")


@dataclass(frozen=True)
class Mail:
    """What is said to whom: `template` names the pair emails/<template>.txt and .html, `invoice` is attached as PDF."""

    template: str
    subject: str
    recipients: list[str]
    context: dict[str, Any]
    invoice: Invoice | None = None


def handle(event: Event) -> None:
    """Send the mail that tells of an event; whatever the mail server raises is raised, so that it is tried again.

    The Message-ID is the same at every try: mail programs show a repeated mail once. RuntimeError in a transaction.
    """
    _send(lambda: HANDLERS[event.type](event), message_id=f"<event-{event.pk}@{_mail_domain()}>")


def send_invoice(invoice: Invoice) -> None:
    """Mail the invoice with its PDF and how to pay it to its billing address now. RuntimeError in a transaction."""
    _send(lambda: _invoice_mail(invoice), message_id=make_msgid(domain=_mail_domain()))


def _invoice_created(event: Event) -> Mail:
    return _invoice_mail(Invoice.objects.select_related("account__owner").get(pk=event.object_id))


def _invoice_mail(invoice: Invoice) -> Mail:
    context = {
        "invoice": invoice,
        "total": money(invoice.total, invoice.currency),
        "instructions": payment_instructions(invoice),
    }
    subject = f"Invoice {invoice.invoice_number} from {settings.COMPANY_NAME}"
    return Mail("invoice_created", subject, _customer(invoice), context, invoice)


def _payment_submitted(event: Event) -> Mail:
    payment = _payment(event)
    context = {
        **_payment_facts(payment),
        "account": _unlinked(payment.account.name),
        "submitted_by": event.actor.email if event.actor else "",
        "duplicate_of": Payment.objects.filter(pk=payment.metadata.get("duplicate_of")).first(),
        "link": f"{settings.BASE_URL}/admin/billing/payment/{payment.pk}/change/",
    }
    subject = f"Payment to review: {context['amount']} for {payment.invoice.invoice_number}"
    return Mail("manual_payment_submitted", subject, _operators(), context)


def _payment_approved(event: Event) -> Mail:
    payment = _payment(event)
    ledger_entry = CreditTransaction.objects.filter(account=payment.account, source=f"payment:{payment.pk}").first()
    context = {
        **_payment_facts(payment),
        "subscription": payment.invoice.subscription,
        "credits": ledger_entry,
    }
    subject = f"Payment received for invoice {payment.invoice.invoice_number}"
    return Mail("manual_payment_approved", subject, _customer(payment.invoice), context)


def _payment_rejected(event: Event) -> Mail:
    payment = _payment(event)
    context = {
        **_payment_facts(payment),
        "reason": _unlinked(payment.failure_reason),
        "instructions": payment_instructions(payment.invoice),
    }
    subject = f"Payment not confirmed for invoice {payment.invoice.invoice_number}"
    return Mail("payment_failed", subject, _customer(payment.invoice), context)


def _credits_low(event: Event) -> Mail:
    account = event.account
    recipients = _reachable(account.owner.email if account and account.owner else "", f"Account {event.account_id}")
    return Mail("credits_low", "Your credits are running low", recipients, dict(event.data))


# Of subscription.activated nothing is told on its own: the mail on the payment that activated it says so.
HANDLERS: dict[str, Callable[[Event], Mail]] = {
    "invoice.created": _invoice_created,
    "payment.submitted": _payment_submitted,
    "payment.approved": _payment_approved,
    "payment.rejected": _payment_rejected,
    "credits.low": _credits_low,
}


def _send(write: Callable[[], Mail], message_id: str) -> None:
    # Durable: refuses to run inside a transaction, where a mail would tell of what may be rolled back, and locks would
    # wait for the mail server. Only the reading is in this one.
    with transaction.atomic(durable=True):
        mail = write()
    pdf = _pdf(mail.invoice) if mail.invoice else None
    frame = {
        "company": settings.COMPANY_NAME,
        "base_url": settings.BASE_URL,
        "subject": mail.subject,
        "pdf_attached": pdf is not None,
    }
    text, html = (
        showable(render_to_string(f"emails/{mail.template}.{kind}", frame | mail.context)) for kind in ("txt", "html")
    )
    message = EmailMultiAlternatives(
        " ".join(mail.subject.split()),
        re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        to=mail.recipients,
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(html, "text/html")
    if mail.invoice and pdf is not None:
        message.attach(f"{mail.invoice.invoice_number}.pdf", pdf, "application/pdf")
    message.send()


def _pdf(invoice: Invoice) -> bytes | None:
    try:
        return pdf_service.render_invoice(invoice)
    except PdfUnavailable:
        # The mail says all that is on the invoice: better without its PDF than not at all.
        return None


def _payment(event: Event) -> Payment:
    related = ("account__owner", "invoice__account__owner", "invoice__subscription__plan")
    return Payment.objects.select_related(*related).get(pk=event.object_id)


def _payment_facts(payment: Payment) -> dict[str, Any]:
    return {
        "payment": payment,
        "invoice": payment.invoice,
        "amount": money(payment.amount, payment.currency),
        "reference": _unlinked(payment.manual_reference),
    }


def _customer(invoice: Invoice) -> list[str]:
    owner = invoice.account.owner
    address = invoice.billing_email or (owner.email if owner else "")
    return _reachable(address, f"Invoice {invoice.invoice_number}")


def _reachable(address: str, whose: str) -> list[str]:
    if not address:
        raise InvalidInput(
            f"{whose} has no e-mail address. Give its account a billing e-mail, then retry the delivery."
        )
    return [address]


def _operators() -> list[str]:
    may_approve = ModelBackend().with_perm("billing.approve_payment").filter(is_staff=True)
    return sorted(may_approve.values_list("email", flat=True)) or [settings.DEFAULT_FROM_EMAIL]


def _unlinked(text: str) -> str:
    """`text` of people so that no mail program makes a link of it (threats.md OUT-09): links are ours only."""
    return LINK_LIKE.sub(lambda found: f"{found[0]} ", text)


def _mail_domain() -> str:
    return urlsplit(settings.BASE_URL).hostname or "localhost"
