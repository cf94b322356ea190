"""What the payment page shows of an invoice: no more than the invoice says, and how far its payment is."""

import hashlib
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    GATEWAY_UNDER_WAY,
    MANUAL_METHODS,
    Invoice,
    InvoiceStatus,
    Payment,
    PaymentStatus,
)
from igny8_core.business.billing.services.invoices.instructions import why_rejected
from igny8_core.business.billing.services.invoices.lines import printed_lines
from igny8_core.business.billing.services.invoices.pay_links import last_online_attempt
from igny8_core.business.billing.services.invoices.ways import Way, ways_to_pay
from igny8_core.business.billing.services.payment_methods.kept_cards import renewals_need_card_of
from igny8_core.business.billing.services.payments.linked_confirmations import last_rejection, open_confirmation
from igny8_core.common.languages import translated
from igny8_core.common.money import amount_text, format_amount
from igny8_core.web.pay.confirmation_form import ConfirmationForm


class PageState(StrEnum):
    """What the customer can do on the page."""

    OPEN = "open"
    RETURNED = "returned"  # from the gateway, which is asked what became of it
    WAITING = "waiting"  # the gateway, or one of us, has not decided
    CONFIRMED = "confirmed"  # a transfer that an operator looks for on the bank statement
    PAID = "paid"
    COLLECTED = "collected"  # by Stripe, which bills the subscription
    VOID = "void"
    CLOSED = "closed"


CLOSED_STATES = {InvoiceStatus.PAID: PageState.PAID, InvoiceStatus.VOID: PageState.VOID}
# Somebody else decides next: the page looks often.
WAITS_FOR_OTHERS = frozenset({PageState.RETURNED, PageState.WAITING, PageState.CONFIRMED})


def page_context(
    invoice: Invoice, *, has_returned: bool = False, was_asked: bool = False, form: ConfirmationForm | None = None
) -> dict[str, Any]:
    """What the page's template needs.

    `has_returned`: from a gateway just now. `was_asked`: the gateway was, after a return. `form`: what was typed into
    the confirmation and could not be taken.
    """
    attempt, confirmation = last_online_attempt(invoice), open_confirmation(invoice)
    state = _state(invoice, attempt, confirmation, has_returned=has_returned)
    ways = ways_to_pay(invoice) if state == PageState.OPEN else []
    return {
        "state": state,
        "version": version_of(invoice),
        "waits_for_others": state in WAITS_FOR_OTHERS,
        "invoice": invoice,
        "customer": invoice.metadata.get("billing_snapshot", {}).get("name", ""),
        "seller_address": settings.COMPANY_ADDRESS,
        "total": amount_text(invoice.total, invoice.currency),
        **_sums(invoice),
        "ways": ways,
        "saves_card": any(way.is_card for way in ways) and renewals_need_card_of(invoice),
        **_about_confirmations(invoice, ways, confirmation, form),
        "can_ask": attempt is not None and not attempt.needs_review,
        "problem": _last_problem(attempt) if state == PageState.OPEN else "",
        "came_back_unpaid": state == PageState.OPEN and (has_returned or was_asked),
        "receipt": _receipt(invoice) if state == PageState.PAID else None,
    }


def version_of(invoice: Invoice) -> str:
    """A short text that differs once the page would say something else about the payment."""
    newest = Payment.objects.filter(invoice=invoice).order_by("-pk")
    facts = newest.values_list("pk", "status", "needs_review", "refunded_amount").first()
    seen = f"{invoice.status} {invoice.stripe_invoice_id} {facts}"
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def open_attempt(invoice: Invoice) -> Payment | None:
    """The invoice's attempt at a gateway that is not decided yet."""
    attempt = last_online_attempt(invoice)
    return attempt if attempt and attempt.status in GATEWAY_UNDER_WAY else None


def _state(invoice: Invoice, attempt: Payment | None, confirmation: Payment | None, *, has_returned: bool) -> PageState:
    if invoice.status != InvoiceStatus.PENDING:
        return CLOSED_STATES.get(InvoiceStatus(invoice.status), PageState.CLOSED)
    if invoice.stripe_invoice_id:
        return PageState.COLLECTED
    if attempt is None or attempt.status not in GATEWAY_UNDER_WAY:
        return PageState.CONFIRMED if confirmation else PageState.OPEN
    if attempt.needs_review or (attempt.status != PaymentStatus.PENDING and not has_returned):
        return PageState.WAITING
    return PageState.RETURNED if has_returned else PageState.OPEN


def _sums(invoice: Invoice) -> dict[str, Any]:
    currency = invoice.currency
    return {
        "lines": printed_lines(invoice),
        "subtotal": format_amount(invoice.subtotal, currency),
        "tax": format_amount(invoice.tax, currency),
    }


def _about_confirmations(
    invoice: Invoice, ways: list[Way], confirmation: Payment | None, form: ConfirmationForm | None
) -> dict[str, Any]:
    """The form for the ways that somebody has to be told of, and what became of the one that was sent."""
    manual = [(way.payment_method, way.name) for way in ways if way.is_manual]
    rejected = last_rejection(invoice) if ways else None
    if form is None and manual:
        form = ConfirmationForm(ways=manual)
    return {
        "confirmation": confirmation,
        "rejected": rejected,
        "rejected_because": why_rejected(rejected) if rejected else "",
        "form": form if manual else None,
        # The money is sent somewhere else first: the form waits folded until there is something to say.
        "form_is_open": rejected is not None or (form is not None and form.is_bound),
    }


def _last_problem(attempt: Payment | None) -> str:
    """Why the last attempt brought nothing, in the sentence that its customer was told."""
    return "" if attempt is None or attempt.status == PaymentStatus.CANCELED else translated(attempt.failure_reason)


def _receipt(invoice: Invoice) -> list[tuple[str, str]]:
    """What is known of the money that paid the invoice: pairs of label and value."""
    payment = Payment.objects.filter(invoice=invoice, status__in=CAPTURED_STATUSES).order_by("-pk").first()
    if payment is None:
        return []
    facts = [
        (_("Amount"), amount_text(payment.amount, payment.currency)),
        (_("Paid by"), payment.get_payment_method_display()),
    ]
    if payment.payment_method in MANUAL_METHODS:
        facts.append((_("Your reference"), payment.manual_reference))
    if payment.refunded_amount:
        facts.append((_("Returned to you"), amount_text(payment.refunded_amount, payment.currency)))
    return [(label, value) for label, value in facts if value]
