"""Mails about unpaid invoices and trials that end. The events come from services/dunning."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings

from igny8_core.auth.models import Account, AccountStatus, SuspendedReason
from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.models import PAYMENTS_UNDER_WAY, Invoice, InvoiceStatus, Payment, PaymentStatus
from igny8_core.business.billing.selectors import saved_methods_of
from igny8_core.business.billing.services.invoices.instructions import payment_instructions
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.common.mail import Mail
from igny8_core.common.money import amount_text
from igny8_core.common.names import without_links
from igny8_core.events.models import Event

RENEWAL, ORDER = "renewal", "order"


@dataclass(frozen=True)
class Words:
    """A heading, what it means, and what happens next."""

    heading: str
    meaning: str
    advice: str


def reminder_mail(event: Event, invoice: Invoice, recipients: list[str]) -> Mail | None:
    """The mail before or on the due date; None if the invoice was paid or confirmed meanwhile."""
    if not _waits_for_customer(invoice):
        return None
    number, due = invoice.invoice_number, _day(invoice.due_date)
    if event.data["subject"] != RENEWAL:
        words = Words(
            f"Invoice {number} is due on {due}",
            f"Invoice {number} over {_amount(event)} is still open. Please pay it by {due}.",
            "",
        )
        return _invoice_mail("payment_reminder", words, event, invoice, recipients)
    plan = invoice.subscription.plan.name if invoice.subscription else ""
    heading = f"Your plan {plan} renews on {due}"
    card = _card_charged_for(invoice.account)
    if card:
        meaning = f"We will charge {_amount(event)} for the next period to your {card}."
        words = Words(heading, meaning, "You do not need to do anything. To pay in another way, open the invoice.")
    else:
        meaning = f"The next period costs {_amount(event)}. Please pay invoice {number} by {due}."
        words = Words(heading, meaning, "")
    return _invoice_mail("renewal_reminder", words, event, invoice, recipients, is_charged=bool(card))


def overdue_mail(event: Event, invoice: Invoice, recipients: list[str]) -> Mail | None:
    """The mail after the due date; None if the invoice was paid or confirmed meanwhile."""
    if not _waits_for_customer(invoice):
        return None
    number, due = invoice.invoice_number, _day(invoice.due_date)
    words = Words(
        f"Invoice {number} is overdue",
        f"Invoice {number} over {_amount(event)} was due on {due}, and we have not received the payment.",
        _what_follows(event),
    )
    return _invoice_mail("payment_overdue", words, event, invoice, recipients)


def suspended_mail(event: Event, recipients: list[str]) -> Mail | None:
    """The mail about a suspension for want of payment. None about one by an operator, or one that was lifted since."""
    account = event.account
    if account is None or event.data.get("suspended_reason") != SuspendedReason.NON_PAYMENT:
        return None
    if account.status != AccountStatus.SUSPENDED or account.suspended_reason != SuspendedReason.NON_PAYMENT:
        return None
    invoice = Invoice.objects.filter(account=account, pk=event.data.get("invoice_id"), status=InvoiceStatus.PENDING)
    unpaid = invoice.select_related("account__owner").first()
    words = Words(
        "Your account is suspended",
        "A payment is missing, so your account can no longer be used. Nothing was deleted.",
        f"Once the payment is there, the account works again at once. {_end_text(event)}".strip(),
    )
    if unpaid is None:
        return Mail("account_suspended", words.heading, recipients, {"words": words})
    return _invoice_mail("account_suspended", words, event, unpaid, recipients)


def trial_mail(event: Event, recipients: list[str]) -> Mail | None:
    """The mail about a trial that ends soon, is over, or was closed; None if that is not so any more."""
    account = event.account
    if account is None:
        return None
    words = _trial_words(event, account)
    return Mail("trial_ending", words.heading, recipients, {"words": words}) if words else None


def _trial_words(event: Event, account: Account) -> Words | None:
    if event.type == "account.canceled":
        if event.data.get("because") != "trial_ended" or account.status != AccountStatus.CANCELED:
            return None
        meaning = "Your trial was over, and no plan was ordered, so the account is closed now."
        return Words("Your account is closed", meaning, "To come back, log in and order a plan.")
    if account.status != AccountStatus.TRIAL:
        return None
    last_day, closes_on = (_day(date.fromisoformat(event.data[name])) for name in ("last_day", "closes_on"))
    if event.type == "account.trial_ended":
        return Words(
            "Your trial is over",
            f"Everything can still be read until {closes_on}, but nothing can be changed or spent.",
            "To go on where you stopped, order a plan. Without one the account is closed then.",
        )
    return Words(
        f"Your trial ends on {last_day}",
        f"Until {last_day} everything works as before. After that it can only be read.",
        "To go on without a break, order a plan.",
    )


def _invoice_mail(
    template: str, words: Words, event: Event, invoice: Invoice, recipients: list[str], **more: Any
) -> Mail:
    context = {
        "words": words,
        "invoice": invoice,
        "amount": _amount(event),
        "due": _day(invoice.due_date),
        "pay_link": pay_link(invoice),
        "instructions": payment_instructions(invoice),
    }
    return Mail(template, words.heading, recipients, context | more)


def _what_follows(event: Event) -> str:
    """What the customer has to expect, with the earliest day of each; empty where nothing follows but mails."""
    rules = settings.DUNNING
    if event.data["subject"] == RENEWAL:
        suspended = _day(_clock_reaches(event, rules.suspend_after))
        return f"Without the payment your account is suspended on {suspended}. {_end_text(event)}"
    if event.data["subject"] == ORDER:
        ends = _day(_clock_reaches(event, rules.cancel_after))
        return f"Your order is kept until {ends}. Without the payment it is withdrawn then."
    return ""


def _end_text(event: Event) -> str:
    if event.data.get("subject") != RENEWAL:
        return ""
    return f"If it is still missing on {_day(_clock_reaches(event, settings.DUNNING.cancel_after))}, your plan ends."


def _clock_reaches(event: Event, day: int) -> date:
    """The earliest day on which the clock of the invoice reaches a stage."""
    return event.created_at.date() + timedelta(days=day - event.data["day"])


def _card_charged_for(account: Account) -> str:
    """The name of the card that is charged when a plan renews; empty if the customer pays in another way."""
    if account.default_payment_method != card_method():
        return ""
    cards = saved_methods_of(account).filter(type=card_method(), is_enabled=True).exclude(gateway_method_id="")
    card = cards.order_by("-is_default", "-pk").first()
    return without_links(card.display_name) if card else ""


def _waits_for_customer(invoice: Invoice) -> bool:
    """Whether the invoice is open, and no payment of it waits for us or a gateway."""
    if invoice.status != InvoiceStatus.PENDING:
        return False
    waiting = [status for status in PAYMENTS_UNDER_WAY if status != PaymentStatus.PENDING]
    return not Payment.objects.filter(invoice=invoice, status__in=waiting).exists()


def _amount(event: Event) -> str:
    return amount_text(event.data["amount_due"], event.data["currency"])


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
