"""What an operator reads before deciding a payment: what was confirmed beside what is due, and what follows."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.dateformat import format as dated

from igny8_core.business.billing.models import PAYMENTS_UNDER_WAY, InvoiceLine, Payment, PaymentStatus
from igny8_core.business.billing.payment_repeats import Repeat, repeats_of
from igny8_core.business.billing.pricing import credit_line, plan_line_of
from igny8_core.business.billing.services.payments.large_approvals import is_large
from igny8_core.common.links import why_not_public_https
from igny8_core.common.money import amount_text
from igny8_core.console.columns import EMPTY, change_url, time_text

SHOWN_ATTEMPTS = 10
DAY = "j M Y"


@dataclass(frozen=True)
class Line:
    """One line of the page: a name, words, and where a link leads to the row that they are of."""

    name: str
    text: str
    href: str = ""
    is_wrong: bool = False


@dataclass(frozen=True)
class Other:
    """Another payment: which one, its state and its words, with a link."""

    title: str
    status: str
    text: str
    href: str


@dataclass(frozen=True)
class Proof:
    """The customer's file: a picture of it, the file itself, and its name."""

    picture: str
    file: str
    name: str


@dataclass(frozen=True)
class Review:
    """All of a payment that the page shows."""

    payment: Payment
    confirmed: list[Line]
    due: list[Line]
    follows: list[Line]
    attempts: list[Other]
    repeats: list[Other]
    proof: Proof | None
    is_own: bool

    @property
    def amount(self) -> str:
        return amount_text(self.payment.amount, self.payment.currency)

    @property
    def is_waiting(self) -> bool:
        return self.payment.status == PaymentStatus.PENDING_APPROVAL

    @property
    def is_flagged(self) -> bool:
        """Whether approving it needs the operator to say that it is a transfer of its own."""
        return self.payment.is_flagged_duplicate

    @property
    def is_large(self) -> bool:
        return is_large(self.payment)


def review_of(payment: Payment, operator_account: int | None) -> Review:
    """The page of a payment. It was read with account, owner, invoice, subscription, plan, proof and lines."""
    return Review(
        payment=payment,
        confirmed=_confirmed(payment),
        due=_due(payment),
        follows=_follows(payment),
        attempts=_attempts(payment),
        repeats=[_repeat(repeat) for repeat in repeats_of(payment)],
        proof=_proof(payment),
        is_own=operator_account is not None and operator_account == payment.account_id,
    )


def _confirmed(payment: Payment) -> list[Line]:
    is_due = payment.amount == payment.invoice.total and payment.currency == payment.invoice.currency
    day = dated(payment.transferred_on, DAY) if payment.transferred_on else EMPTY
    lines = [
        Line("Amount", amount_text(payment.amount, payment.currency), is_wrong=not is_due),
        Line("Reference", payment.manual_reference or EMPTY),
        Line("Day of the transfer", day),
        Line("Sender", payment.payer_name or EMPTY),
        Line("Method", payment.get_payment_method_display()),
        Line("Confirmed", time_text(payment.created_at)),
    ]
    if payment.manual_notes:
        lines.append(Line("Customer's note", payment.manual_notes))
    if payment.proof_url:
        is_safe = not why_not_public_https(payment.proof_url)
        lines.append(Line("Link to a proof", payment.proof_url, payment.proof_url if is_safe else ""))
    return lines


def _due(payment: Payment) -> list[Line]:
    invoice, account = payment.invoice, payment.account
    email = account.billing_email or (account.owner.email if account.owner else EMPTY)
    return [
        Line("Amount due", amount_text(invoice.total, invoice.currency)),
        Line("Invoice", invoice.invoice_number, change_url("billing_invoice", invoice.pk)),
        Line("Invoice is", invoice.get_status_display()),
        Line("Due on", dated(invoice.due_date, DAY)),
        Line("Customer", account.name, change_url("igny8_auth_account", account.pk)),
        Line("Account is", account.get_status_display()),
        Line("E-mail", email),
        Line("Country", account.billing_country or EMPTY),
    ]


def _follows(payment: Payment) -> list[Line]:
    """What an approval brings: plan and credits of the invoice, as they were sold."""
    lines: list[InvoiceLine] = list(payment.invoice.lines.all())
    plan, sold = plan_line_of(payment.invoice), credit_line(lines)
    follows = [Line("Plan", plan.description)] if plan else [Line("Pays for", line.description) for line in lines[:5]]
    if sold:
        follows.append(Line("Credits", f"{(sold.credits or 0) * sold.quantity:,}"))
    return follows


def _attempts(payment: Payment) -> list[Other]:
    """The account's other confirmations and payments: first those of this invoice, then the newest."""
    rows = Payment.objects.filter(account=payment.account_id).exclude(pk=payment.pk).select_related("invoice")
    newest = rows.order_by("-pk")
    found = list(newest.filter(invoice=payment.invoice_id)[:SHOWN_ATTEMPTS])
    found += newest.exclude(invoice=payment.invoice_id)[: SHOWN_ATTEMPTS - len(found)]
    return [_attempt(other, payment.invoice_id) for other in found]


def _attempt(other: Payment, invoice_id: int) -> Other:
    of = "this invoice" if other.invoice_id == invoice_id else other.invoice.invoice_number
    words = [amount_text(other.amount, other.currency), f"for {of}", time_text(other.created_at)]
    if other.status not in PAYMENTS_UNDER_WAY and other.failure_reason:
        words.append(other.failure_reason)
    return Other(
        other.manual_reference or f"Payment {other.pk}",
        other.get_status_display(),
        ", ".join(words),
        change_url("billing_payment", other.pk),
    )


def _repeat(repeat: Repeat) -> Other:
    other = repeat.payment
    amount = amount_text(other.amount, other.currency)
    words = f"same {repeat.same_text}: {other.account.name}, {amount}, {time_text(other.created_at)}"
    return Other(f"Payment {other.pk}", other.get_status_display(), words, change_url("billing_payment", other.pk))


def _proof(payment: Payment) -> Proof | None:
    proof: Any = payment.proof
    if proof is None:
        return None
    file = reverse("admin:billing_payment_proof", args=[payment.pk])
    picture = file if proof.is_picture else reverse("admin:billing_payment_proof_pages", args=[payment.pk])
    return Proof(picture, file, proof.neutral_name)
