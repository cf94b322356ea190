"""Deciding a payment as it was read: what has changed since the page was opened refuses the decision, and is told."""

import json
from dataclasses import dataclass
from typing import Any

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import User
from igny8_core.business.billing.errors import PaymentChangedMeanwhile
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.payment_repeats import repeats_of
from igny8_core.business.billing.services.payments.offline import approve_manual_payment, reject_manual_payment
from igny8_core.business.billing.services.settlement import Settlement
from igny8_core.common.db import service_transaction
from igny8_core.common.money import amount_text
from igny8_core.common.signed_texts import BadSignature, opened, signed

# What a page says of a payment: the name of each fact, and its words.
Facts = dict[str, str]
SALT = "payment as read"
NONE = "none"


@dataclass(frozen=True)
class Change:
    """A fact that is another one by now, in the words of then and of now."""

    fact: str
    before: str
    now: str


def facts_of(payment: Payment) -> Facts:
    """What a decision about the payment rests on, as it is in the database now, in words to compare and to show."""
    rows = Payment.objects.filter(account=payment.account_id)
    found = rows.select_related("account", "approved_by", "invoice__subscription__plan").get(pk=payment.pk)
    invoice, subscription = found.invoice, found.invoice.subscription
    others = rows.filter(invoice=invoice).exclude(pk=found.pk).order_by("pk")
    return {
        "Payment": _standing(found),
        "Amount": amount_text(found.amount, found.currency),
        "Reference": found.manual_reference,
        "Amount due": amount_text(invoice.total, invoice.currency),
        "Invoice": f"{invoice.invoice_number}, {invoice.get_status_display()}",
        "Customer": f"{found.account.name}, {found.account.get_status_display()}",
        "Subscription": f"{subscription.plan.name}, {subscription.get_status_display()}" if subscription else NONE,
        "Other attempts to pay this invoice": _listed(others),
        "Same reference or proof": _listed(repeat.payment for repeat in repeats_of(found)),
    }


def token_of(facts: Facts) -> str:
    """The facts for a form's hidden field, signed."""
    return signed(json.dumps(facts), salt=SALT)


def facts_in(token: str) -> Facts:
    """The facts of a token; none if we did not sign it, so that everything counts as changed."""
    try:
        facts: Facts = json.loads(opened(token, salt=SALT))
    except BadSignature:
        return {}
    return facts


@service_transaction
def approve_as_read(
    payment: Payment, read: Facts, approved_by: User, *, admin_notes: str = "", override_duplicate: bool = False
) -> Settlement:
    """Approve a manual payment whose facts are still those that the operator `read`.

    Raises PaymentChangedMeanwhile, and what approve_manual_payment raises.
    """
    _require_unchanged(payment, read)
    return approve_manual_payment(payment, approved_by, admin_notes=admin_notes, override_duplicate=override_duplicate)


@service_transaction
def reject_as_read(payment: Payment, read: Facts, rejected_by: User, **words: Any) -> Payment:
    """Reject one, in the same way. `words`: reason_code, reason and internal_note of reject_manual_payment.

    Raises PaymentChangedMeanwhile, and what reject_manual_payment raises.
    """
    _require_unchanged(payment, read)
    return reject_manual_payment(payment, rejected_by=rejected_by, **words)


def changes(read: Facts, now: Facts) -> list[Change]:
    """What is another fact now than it was when the page was read."""
    return [Change(fact, read.get(fact, "unknown"), words) for fact, words in now.items() if read.get(fact) != words]


def _require_unchanged(payment: Payment, read: Facts) -> None:
    """Compare under the locks of account, payment and invoice: what comes later waits for the decision."""
    lock_payment(lock_account(payment.account_id), payment.pk)
    if changes(read, facts_of(payment)):
        raise PaymentChangedMeanwhile()


def _standing(payment: Payment) -> str:
    decided = f", decided by {payment.approved_by}" if payment.approved_by else ""
    return f"{payment.get_status_display()}{decided}"


def _listed(payments: Any) -> str:
    return ", ".join(f"Payment {each.pk} ({each.get_status_display()})" for each in payments) or NONE
