"""Mails about billing. The outbox (igny8_core/events) calls `handle` at least once for each event."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.utils.translation import gettext as _

from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import PdfUnavailable
from igny8_core.business.billing.models import CreditNote, CreditTransaction, Invoice, InvoiceStatus, Payment
from igny8_core.business.billing.payment_repeats import repeats_of
from igny8_core.business.billing.selectors import grant_sources
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.business.billing.services.invoices.instructions import payment_instructions, why_rejected
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.business.billing.services.notifications.books_mail import books_mail
from igny8_core.business.billing.services.notifications.dunning_mails import (
    overdue_mail,
    reminder_mail,
    suspended_mail,
    trial_mail,
)
from igny8_core.business.billing.services.notifications.gateway_mails import (
    FOR_OPERATORS,
    GATEWAY_NOTICES,
    gateway_mail,
    gateway_notice,
    payment_of_event,
    webhook_failed,
    webhook_to_review,
)
from igny8_core.business.billing.services.notifications.payee_mails import PAYEE_NOTICES, payee_mail
from igny8_core.business.billing.services.notifications.renewal_mails import (
    card_expiring_mail,
    charge_failed_mail,
    renewal_facts,
)
from igny8_core.business.billing.services.notifications.subscription_mails import (
    SUBSCRIPTION_NOTICES,
    subscription_mail,
)
from igny8_core.business.billing.services.notifications.undecided_mails import undecided_mail
from igny8_core.common.errors import InvalidInput
from igny8_core.common.languages import translated
from igny8_core.common.mail import Attachment, Mail, message_id_of_event, new_message_id, send
from igny8_core.common.money import amount_text
from igny8_core.common.names import in_mail, without_links
from igny8_core.events.models import Event


def handle(event: Event) -> None:
    """Send the mail about an event. The mail server's errors are raised, so that the outbox tries again.

    The Message-ID is the same at every try, so mail programs show a repeated mail once. RuntimeError in a transaction.
    """
    send(lambda: _counted(event), message_id_of_event(event.pk), _language(event))


def send_invoice(invoice: Invoice) -> None:
    """Mail the invoice to its account now, with its PDF and how to pay it. RuntimeError in a transaction."""
    send(lambda: _invoice_mail(invoice), new_message_id(), language_for_mail(invoice.account))


def _language(event: Event) -> str:
    """That of who reads the mail; operators read English."""
    if event.type in TO_OPERATORS or event.account is None:
        return ""
    return language_for_mail(event.account)


def language_for_mail(account: Account) -> str:
    """The owner's language where mails about money go to the owner, else the account's; empty: English."""
    if account.owner is None or account.address_for_mail != account.owner.email:
        return account.language
    return account.owner.language or account.language


def _counted(event: Event) -> Mail | None:
    """The mail about an event; what an account causes that has never paid is counted. Customers get all of theirs."""
    mail, account = HANDLERS[event.type](event), event.account
    if mail is None or event.type in TO_OPERATORS or account is None or not account.has_never_paid:
        return mail
    return replace(mail, kind="documents", trial_account=account.pk)


def _invoice_created(event: Event) -> Mail | None:
    if event.data.get("send") is False:
        return None
    return _invoice_mail(_invoice(event))


def _invoice_sent(event: Event) -> Mail:
    return _invoice_mail(_invoice(event))


def _invoice_mail(invoice: Invoice) -> Mail:
    context = {
        "invoice": invoice,
        "total": amount_text(invoice.total, invoice.currency),
        "instructions": payment_instructions(invoice),
        "pay_link": pay_link(invoice),
        "is_payable": _is_payable(invoice),
        **renewal_facts(invoice),
    }
    subject = _("Invoice %(invoice_number)s from %(company_name)s") % {
        "invoice_number": invoice.invoice_number,
        "company_name": settings.COMPANY_NAME,
    }
    return Mail("invoice_created", subject, _customer(invoice), context, lambda: _pdf(invoice))


def _payment_submitted(event: Event) -> Mail:
    payment = _payment(event)
    context = {
        **_payment_facts(payment),
        "account": in_mail(payment.account.name),
        "submitted_by": event.actor.email if event.actor else "",
        "payer_name": in_mail(payment.payer_name),
        "repeats": _repeats(payment),
        "link": f"{settings.BASE_URL}/admin/billing/payment/{payment.pk}/change/",
    }
    subject = f"Payment to review: {context['amount']} for {payment.invoice.invoice_number}"
    return Mail("manual_payment_submitted", subject, _operators("approve_payment"), context)


def _repeats(payment: Payment) -> list[dict[str, Any]]:
    """The other payments of the same transfer, as the operators' mail names them."""
    return [
        {
            "id": repeat.payment.pk,
            "account": in_mail(repeat.payment.account.name),
            "same": [same.value for same in repeat.same],
            "status": repeat.payment.get_status_display(),
        }
        for repeat in repeats_of(payment)
        if payment.is_flagged_duplicate
    ]


def _payment_approved(event: Event) -> Mail:
    return _payment_received(event, "manual_payment_approved")


def _payment_succeeded(event: Event) -> Mail:
    return _payment_received(event, "payment_success")


def _payment_received(event: Event, template: str) -> Mail:
    """The mail says the same whether an operator found the money or a gateway has it."""
    payment = _payment(event)
    ledger_entry = CreditTransaction.objects.filter(account=payment.account, source__in=grant_sources(payment)).first()
    context = {
        **_payment_facts(payment),
        "subscription": payment.invoice.subscription,
        "credits": ledger_entry,
        "pay_link": pay_link(payment.invoice),
    }
    subject = _("Payment received for invoice %(invoice_number)s") % {"invoice_number": payment.invoice.invoice_number}
    return Mail(template, subject, _customer(payment.invoice), context)


def _payment_rejected(event: Event) -> Mail:
    payment = _payment(event)
    context = {
        **_payment_facts(payment),
        "reason": without_links(why_rejected(payment)),
        "instructions": payment_instructions(payment.invoice),
        "pay_link": pay_link(payment.invoice),
        "is_payable": _is_payable(payment.invoice),
    }
    subject = _("Payment not confirmed for invoice %(invoice_number)s") % {
        "invoice_number": payment.invoice.invoice_number
    }
    return Mail("payment_failed", subject, _customer(payment.invoice), context)


def _invoice_credited(event: Event) -> Mail | None:
    """No money moved: the invoice is not owed any more, or another one holds in its place."""
    if event.data.get("send") is False:
        return None
    credit_note = _credit_note(event)
    invoice = credit_note.invoice
    context = {
        "invoice": invoice,
        "corrected_by": invoice.replaced_by,
        "note": credit_note,
        "amount": amount_text(credit_note.amount, credit_note.currency),
        "reason": without_links(translated(credit_note.reason)),
        "pay_link": pay_link(invoice),
    }
    subject = _("Credit note %(credit_note_number)s for invoice %(invoice_number)s") % {
        "credit_note_number": credit_note.credit_note_number,
        "invoice_number": invoice.invoice_number,
    }
    return Mail("invoice_credited", subject, _customer(invoice), context, lambda: _credit_note_pdf(credit_note))


def _payment_refunded(event: Event) -> Mail:
    credit_note = _credit_note(event)
    context = {
        **_payment_facts(_payment(event)),
        "note": credit_note,
        "amount": amount_text(credit_note.amount, credit_note.currency),
        "reason": without_links(translated(credit_note.reason)),
        "refund_reference": without_links(credit_note.reference),
        "pay_link": pay_link(credit_note.invoice),
    }
    subject = _("Refund of %(amount)s for invoice %(invoice_number)s") % {
        "amount": context["amount"],
        "invoice_number": credit_note.invoice.invoice_number,
    }
    recipients = _customer(credit_note.invoice)
    return Mail("payment_refunded", subject, recipients, context, lambda: _credit_note_pdf(credit_note))


def _credits_low(event: Event) -> Mail:
    account = event.account
    recipients = _reachable(account.owner.email if account and account.owner else "", f"Account {event.account_id}")
    return Mail("credits_low", _("Your credits are running low"), recipients, dict(event.data))


def _invoice_reminded(event: Event) -> Mail | None:
    invoice = _invoice(event)
    return reminder_mail(event, invoice, _customer(invoice))


def _invoice_overdue(event: Event) -> Mail | None:
    invoice = _invoice(event)
    return overdue_mail(event, invoice, _customer(invoice))


def _account_suspended(event: Event) -> Mail | None:
    return suspended_mail(event, _account_address(event))


def _trial_ends(event: Event) -> Mail | None:
    return trial_mail(event, _account_address(event))


def _subscription_notice(event: Event) -> Mail:
    return subscription_mail(event, _account_address(event))


def _charge_failed(event: Event) -> Mail | None:
    return charge_failed_mail(event, _account_address(event))


def _card_expiring(event: Event) -> Mail | None:
    return card_expiring_mail(event, _account_address(event))


def _gateway_notice(event: Event) -> Mail | None:
    payment = payment_of_event(event)
    notice = gateway_notice(event, payment)
    if notice is None:
        return None
    is_for_operators = event.type in FOR_OPERATORS
    recipients = _operators("check_payment") if is_for_operators else _customer(payment.invoice)
    return gateway_mail(event, payment, notice, recipients)


def _webhook_dead(event: Event) -> Mail:
    return replace(webhook_failed(event), recipients=_operators("process_webhook"))


def _webhook_to_review(event: Event) -> Mail:
    return replace(webhook_to_review(event), recipients=_operators("process_webhook"))


def _undecided(event: Event) -> Mail | None:
    mail = undecided_mail(event)
    return replace(mail, recipients=_operators("approve_payment")) if mail else None


def _books_broken(event: Event) -> Mail:
    return replace(books_mail(event), recipients=_operators("check_payment"))


def _account_address(event: Event) -> list[str]:
    return _reachable(event.account.address_for_mail if event.account else "", f"Account {event.account_id}")


# docs/events.md has the table. "subscription.activated" has no mail of its own: the one about the payment says it.
HANDLERS: dict[str, Callable[[Event], Mail | None]] = {
    "invoice.created": _invoice_created,
    "invoice.sent": _invoice_sent,
    "invoice.credited": _invoice_credited,
    "payment.submitted": _payment_submitted,
    "payment.left_undecided": _undecided,
    "payment.approved": _payment_approved,
    "payment.succeeded": _payment_succeeded,
    "payment.rejected": _payment_rejected,
    "payment.refunded": _payment_refunded,
    "credits.low": _credits_low,
    "renewal.charge_failed": _charge_failed,
    "payment_method.expiring": _card_expiring,
    "invoice.reminded": _invoice_reminded,
    "invoice.overdue": _invoice_overdue,
    "account.suspended": _account_suspended,
    **dict.fromkeys(("account.trial_ending", "account.trial_ended", "account.canceled"), _trial_ends),
    **dict.fromkeys(SUBSCRIPTION_NOTICES, _subscription_notice),
    **dict.fromkeys(GATEWAY_NOTICES, _gateway_notice),
    "webhook.dead": _webhook_dead,
    "webhook.needs_review": _webhook_to_review,
    "books.broken": _books_broken,
    **dict.fromkeys(PAYEE_NOTICES, payee_mail),
}


TO_OPERATORS = frozenset(
    {*FOR_OPERATORS, *PAYEE_NOTICES}
    | {"payment.submitted", "payment.left_undecided", "webhook.dead", "webhook.needs_review", "books.broken"}
)


def _pdf(invoice: Invoice) -> Attachment | None:
    return _attached(invoice.invoice_number, lambda: pdf.render_invoice(invoice))


def _credit_note_pdf(credit_note: CreditNote) -> Attachment | None:
    return _attached(credit_note.credit_note_number, lambda: pdf.render_credit_note(credit_note))


def _attached(number: str, render: Callable[[], bytes]) -> Attachment | None:
    try:
        return Attachment(f"{number}.pdf", render(), "application/pdf")
    except PdfUnavailable:
        # The mail says everything that the document says, so it is sent without the PDF rather than not at all.
        return None


def _is_payable(invoice: Invoice) -> bool:
    """Whether its page takes money, or the word that it was sent."""
    return invoice.status == InvoiceStatus.PENDING and not invoice.stripe_invoice_id


def _invoice(event: Event) -> Invoice:
    related = ("account__owner", "subscription__plan")
    return Invoice.objects.select_related(*related).get(pk=event.object_id)


def _credit_note(event: Event) -> CreditNote:
    related = "invoice__account__owner"
    return CreditNote.objects.select_related(related).get(credit_note_number=event.data["credit_note"])


def _payment(event: Event) -> Payment:
    related = ("account__owner", "invoice__account__owner", "invoice__subscription__plan")
    return Payment.objects.select_related(*related).get(pk=event.object_id)


def _payment_facts(payment: Payment) -> dict[str, Any]:
    return {
        "payment": payment,
        "invoice": payment.invoice,
        "amount": amount_text(payment.amount, payment.currency),
        "reference": without_links(payment.manual_reference),
    }


def _customer(invoice: Invoice) -> list[str]:
    """The customer's current address. The invoice and its documents keep the address that they were made with."""
    account = invoice.account
    # If the owner deleted the account, the invoice's address is all that is left.
    # Only of what was paid: nobody makes us write to strangers by deleting accounts.
    last_known = invoice.billing_email if invoice.paid_at else ""
    address = last_known if account.deleted_at else account.address_for_mail
    return _reachable(address, f"Invoice {invoice.invoice_number}")


def _reachable(address: str, whose: str) -> list[str]:
    if not address:
        raise InvalidInput(
            f"{whose} has no e-mail address. Enter a billing e-mail for its account, then retry the delivery."
        )
    return [address]


def _operators(permission: str) -> list[str]:
    """The operators who have this permission of billing; if there are none, our own address."""
    may_act = ModelBackend().with_perm(f"billing.{permission}").filter(is_staff=True)
    return sorted(may_act.values_list("email", flat=True)) or [settings.DEFAULT_FROM_EMAIL]
