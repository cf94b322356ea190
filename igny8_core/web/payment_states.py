"""What the payment page shows of an invoice: no more than the invoice says, and how far its payment is."""

from enum import StrEnum
from typing import Any

from django.conf import settings

from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.models import (
    GATEWAY_UNDER_WAY,
    Invoice,
    InvoiceStatus,
    Payment,
    PaymentStatus,
)
from igny8_core.business.billing.selectors import has_payment_under_way
from igny8_core.business.billing.services.invoices.instructions import all_payment_instructions
from igny8_core.business.billing.services.invoices.lines import printed_lines
from igny8_core.business.billing.services.invoices.pay_links import last_online_attempt, online_offers
from igny8_core.common.money import amount_text, format_amount


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


def page_context(invoice: Invoice, *, has_returned: bool = False) -> dict[str, Any]:
    """What the page's template needs."""
    attempt = last_online_attempt(invoice)
    state = _state(invoice, attempt, has_returned=has_returned)
    is_open = state == PageState.OPEN
    return {
        "company": settings.COMPANY_NAME,
        "state": state,
        "invoice": invoice,
        "lines": printed_lines(invoice),
        "subtotal": format_amount(invoice.subtotal, invoice.currency),
        "tax": format_amount(invoice.tax, invoice.currency),
        "total": amount_text(invoice.total, invoice.currency),
        "offers": online_offers(invoice) if is_open else [],
        "card_method": card_method(),
        "instructions": all_payment_instructions(invoice) if is_open else [],
        "can_ask": attempt is not None and not attempt.needs_review,
        "problem": _last_problem(attempt) if is_open else "",
    }


def open_attempt(invoice: Invoice) -> Payment | None:
    """The invoice's attempt at a gateway that is not decided yet."""
    attempt = last_online_attempt(invoice)
    return attempt if attempt and attempt.status in GATEWAY_UNDER_WAY else None


def _state(invoice: Invoice, attempt: Payment | None, *, has_returned: bool) -> PageState:
    if invoice.status != InvoiceStatus.PENDING:
        closed = {InvoiceStatus.PAID: PageState.PAID, InvoiceStatus.VOID: PageState.VOID}
        return closed.get(InvoiceStatus(invoice.status), PageState.CLOSED)
    if invoice.stripe_invoice_id:
        return PageState.COLLECTED
    if attempt is None or attempt.status not in GATEWAY_UNDER_WAY:
        return PageState.CONFIRMED if has_payment_under_way(invoice) else PageState.OPEN
    if attempt.needs_review or (attempt.status != PaymentStatus.PENDING and not has_returned):
        return PageState.WAITING
    return PageState.RETURNED if has_returned else PageState.OPEN


def _last_problem(attempt: Payment | None) -> str:
    """Why the last attempt brought nothing, in the sentence that its customer was told."""
    return "" if attempt is None or attempt.status == PaymentStatus.CANCELED else attempt.failure_reason
