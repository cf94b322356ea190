"""What is open between us and an account: its unpaid invoices, and how far the payment of each is."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from igny8_core.auth.models import MANAGER_ROLES, Account, AccountStatus, User
from igny8_core.business.billing.models import (
    GATEWAY_METHODS,
    PAYMENTS_UNDER_WAY,
    Invoice,
    InvoiceStatus,
    Payment,
    PaymentStatus,
)
from igny8_core.business.billing.selectors import invoices_of, payments_of
from igny8_core.business.billing.services.invoices.instructions import why_rejected
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.common import clock
from igny8_core.common.languages import translated
from igny8_core.common.money import amount_text
from igny8_core.web.frame.addresses import path_of

# An account with more than these has other worries than a banner that ends after them.
SHOWN = 10


class InvoiceState(StrEnum):
    """Who has to do something next, and what."""

    WAITING = "waiting"  # for the customer's payment
    CHECKED = "checked"  # paid, as far as the customer knows; an operator or the gateway looks
    REJECTED = "rejected"  # a confirmation that was rejected, with the operator's reason
    DECLINED = "declined"  # a card or PayPal payment that did not go through
    COLLECTED = "collected"  # by Stripe, which bills the subscription


@dataclass(frozen=True)
class DueInvoice:
    """An open invoice: `since` when it is being checked, `reason` why the last payment brought nothing."""

    invoice: Invoice
    state: InvoiceState
    since: datetime | None = None
    reason: str = ""

    @property
    def amount(self) -> str:
        """What is to be paid."""
        return amount_text(self.invoice.total, self.invoice.currency)

    @property
    def is_overdue(self) -> bool:
        """Whether it should have been paid by now."""
        return bool(self.invoice.due_date < clock.today())

    @property
    def pay_page(self) -> str:
        """Where it is paid; a link that works for whoever has it, so it is made when somebody asks for it."""
        return path_of(pay_link(self.invoice))


@dataclass(frozen=True)
class Standing:
    """Open invoices, the one that is due first in front, and who may pay them."""

    account: Account
    invoices: list[DueInvoice]
    may_pay: bool
    version: str

    @property
    def waits_for_others(self) -> bool:
        """Whether somebody else decides next: a page then asks often what became of it."""
        return any(due.state == InvoiceState.CHECKED for due in self.invoices)

    @property
    def is_order_missing(self) -> bool:
        """Whether the account waits for the payment of nothing: its order was withdrawn."""
        return bool(self.account.status == AccountStatus.PENDING_PAYMENT) and not self.invoices


def standing_of(person: User) -> Standing | None:
    """How the person's account stands; None without an account, and where nothing is open."""
    account = person.account
    if account is None:
        return None
    open_ones = invoices_of(account).filter(status=InvoiceStatus.PENDING).order_by("due_date", "pk")
    invoices = list(open_ones[:SHOWN])
    if not invoices and account.status != AccountStatus.PENDING_PAYMENT:
        return None
    newest = {
        payment.invoice_id: payment for payment in payments_of(account).filter(invoice__in=invoices).order_by("pk")
    }
    due = [_due(invoice, newest.get(invoice.pk)) for invoice in invoices]
    return Standing(account, due, person.role in MANAGER_ROLES, version_of(account, due))


def version_of(account: Account, due: list[DueInvoice]) -> str:
    """A short text that differs once a page would say something else about what is open."""
    facts = [(each.invoice.pk, each.state.value, each.since, each.reason) for each in due]
    return hashlib.sha256(f"{account.pk} {account.status} {facts}".encode()).hexdigest()[:16]


def _due(invoice: Invoice, payment: Payment | None) -> DueInvoice:
    if invoice.stripe_invoice_id:
        return DueInvoice(invoice, InvoiceState.COLLECTED)
    if payment is None or payment.status == PaymentStatus.CANCELED:
        return DueInvoice(invoice, InvoiceState.WAITING)
    if payment.status in PAYMENTS_UNDER_WAY:
        # A card form or PayPal order that is merely open waits for the customer.
        is_merely_open = payment.status == PaymentStatus.PENDING and not payment.needs_review
        state = InvoiceState.WAITING if is_merely_open else InvoiceState.CHECKED
        return DueInvoice(invoice, state, since=None if is_merely_open else payment.created_at)
    if payment.status != PaymentStatus.FAILED:
        return DueInvoice(invoice, InvoiceState.WAITING)
    if payment.payment_method in GATEWAY_METHODS:
        return DueInvoice(invoice, InvoiceState.DECLINED, reason=translated(payment.failure_reason))
    return DueInvoice(invoice, InvoiceState.REJECTED, reason=why_rejected(payment))
