"""Mails about unpaid invoices and trials that end. The events come from services/dunning."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from igny8_core.auth.models import Account, AccountStatus, SuspendedReason
from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.models import PAYMENTS_UNDER_WAY, Invoice, InvoiceStatus, Payment, PaymentStatus
from igny8_core.business.billing.selectors import saved_methods_of
from igny8_core.business.billing.services.invoices.instructions import payment_instructions
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.common.mail import Mail
from igny8_core.common.money import amount_text
from igny8_core.common.names import without_links
from igny8_core.common.written import day_text
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
            _("Invoice %(number)s is due on %(due)s") % {"number": number, "due": due},
            _("Invoice %(number)s over %(amount)s is still open. Please pay it by %(due)s.")
            % {"number": number, "amount": _amount(event), "due": due},
            "",
        )
        return _invoice_mail("payment_reminder", words, event, invoice, recipients)
    plan = invoice.subscription.plan.name if invoice.subscription else ""
    heading = _("Your plan %(plan)s renews on %(due)s") % {"plan": plan, "due": due}
    card = _card_charged_for(invoice.account)
    if card:
        meaning = _("We will charge %(amount)s for the next period to your %(card)s.") % {
            "amount": _amount(event),
            "card": card,
        }
        words = Words(heading, meaning, _("You do not need to do anything. To pay in another way, open the invoice."))
    else:
        meaning = _("The next period costs %(amount)s. Please pay invoice %(number)s by %(due)s.") % {
            "amount": _amount(event),
            "number": number,
            "due": due,
        }
        words = Words(heading, meaning, "")
    return _invoice_mail("renewal_reminder", words, event, invoice, recipients, is_charged=bool(card))


def overdue_mail(event: Event, invoice: Invoice, recipients: list[str]) -> Mail | None:
    """The mail after the due date; None if the invoice was paid or confirmed meanwhile."""
    if not _waits_for_customer(invoice):
        return None
    number, due = invoice.invoice_number, _day(invoice.due_date)
    words = Words(
        _("Invoice %(number)s is overdue") % {"number": number},
        _("Invoice %(number)s over %(amount)s was due on %(due)s, and we have not received the payment.")
        % {"number": number, "amount": _amount(event), "due": due},
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
        _("Your account is suspended"),
        _("A payment is missing, so your account can no longer be used. Nothing was deleted."),
        _then(_("Once the payment is there, the account works again at once."), _end_text(event)),
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
        meaning = _("Your trial was over, and no plan was ordered, so the account is closed now.")
        return Words(_("Your account is closed"), meaning, _("To come back, log in and order a plan."))
    if account.status != AccountStatus.TRIAL:
        return None
    last_day, closes_on = (_day(date.fromisoformat(event.data[name])) for name in ("last_day", "closes_on"))
    if event.type == "account.trial_ended":
        return Words(
            _("Your trial is over"),
            _("Everything can still be read until %(closes_on)s, but nothing can be changed or spent.")
            % {"closes_on": closes_on},
            _("To go on where you stopped, order a plan. Without one the account is closed then."),
        )
    return Words(
        _("Your trial ends on %(last_day)s") % {"last_day": last_day},
        _("Until %(last_day)s everything works as before. After that it can only be read.") % {"last_day": last_day},
        _("To go on without a break, order a plan."),
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
        said = _("Without the payment your account is suspended on %(suspended)s.") % {"suspended": suspended}
        return _then(said, _end_text(event))
    if event.data["subject"] == ORDER:
        ends = _day(_clock_reaches(event, rules.cancel_after))
        return _("Your order is kept until %(ends)s. Without the payment it is withdrawn then.") % {"ends": ends}
    return ""


def _then(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _end_text(event: Event) -> str:
    if event.data.get("subject") != RENEWAL:
        return ""
    return _("If it is still missing on %(day)s, your plan ends.") % {
        "day": _day(_clock_reaches(event, settings.DUNNING.cancel_after))
    }


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
    return day_text(day)
