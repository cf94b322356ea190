"""Every move of a payment's status, each with one owner: no other code writes it (tests/billing/test_payment_moves.py).

Whoever calls one of these holds the locks of account and payment and has decided; each moves the row and records its
event. What follows from money that came in is settlement.capture's, which alone calls `succeed`.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import PAYMENT_TRANSITIONS, Invoice, Payment, PaymentStatus
from igny8_core.common import clock
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.common.states import transition
from igny8_core.events import services as events

logger = logging.getLogger(__name__)
_S = PaymentStatus
# Which function makes a payment in a status (from None), or moves it from one to another.
TRANSITION_OWNERS: dict[tuple[str | None, str], str] = {
    (None, _S.PENDING_APPROVAL): "submit",
    (None, _S.PENDING): "start",
    (_S.PENDING_APPROVAL, _S.SUCCEEDED): "succeed",
    (_S.PENDING, _S.SUCCEEDED): "succeed",
    (_S.PROCESSING, _S.SUCCEEDED): "succeed",
    (_S.UNKNOWN, _S.SUCCEEDED): "succeed",
    (_S.PENDING_APPROVAL, _S.FAILED): "reject",
    (_S.PENDING, _S.FAILED): "fail",
    (_S.PROCESSING, _S.FAILED): "fail",
    (_S.UNKNOWN, _S.FAILED): "fail",
    (_S.PENDING, _S.CANCELED): "give_up",
    (_S.PENDING, _S.PROCESSING): "await_gateway",
    (_S.PENDING, _S.UNKNOWN): "lose_sight",
    (_S.PROCESSING, _S.UNKNOWN): "lose_sight",
    (_S.SUCCEEDED, _S.PARTIALLY_REFUNDED): "refund",
    (_S.SUCCEEDED, _S.REFUNDED): "refund",
    (_S.PARTIALLY_REFUNDED, _S.REFUNDED): "refund",
    (_S.DISPUTED, _S.REFUNDED): "refund",
    (_S.SUCCEEDED, _S.DISPUTED): "dispute",
    (_S.PARTIALLY_REFUNDED, _S.DISPUTED): "dispute",
}


def submit(account: Account, invoice: Invoice, by: User | None, **columns: Any) -> Payment:
    """A customer says that they paid all that is due of an invoice; an operator will decide."""
    payment = _made(account, invoice, PaymentStatus.PENDING_APPROVAL, columns)
    events.record(payment_event("payment.submitted", payment, by, reference=payment.manual_reference))
    return payment


def start(account: Account, invoice: Invoice, by: User | None = None, **columns: Any) -> Payment:
    """A gateway is asked for all that is due of an invoice, or has collected it unasked."""
    payment = _made(account, invoice, PaymentStatus.PENDING, columns)
    events.record(payment_event("payment.started", payment, by))
    return payment


def succeed(payment: Payment, by: User | None = None, **columns: Any) -> None:
    """The money is here: an operator found it, or (`by` None) its gateway has it. Only for settlement.capture."""
    now = clock.now()
    decided = {"approved_by": by, "approved_at": now} if by else {}
    _move("succeed", payment, PaymentStatus.SUCCEEDED, processed_at=now, **decided, **columns)
    if by:
        events.record(payment_event("payment.approved", payment, by, admin_notes=columns.get("admin_notes", "")))
    else:
        events.record(payment_event("payment.succeeded", payment))


def reject(payment: Payment, by: User | None, reason: str) -> None:
    """An operator did not find the money."""
    now = clock.now()
    decided = {"approved_by": by, "approved_at": now, "admin_notes": reason, "failure_reason": reason[:500]}
    _move("reject", payment, PaymentStatus.FAILED, failed_at=now, **decided)
    events.record(payment_event("payment.rejected", payment, by, reason=reason))


def fail(
    payment: Payment,
    code: str,
    reason: str,
    *,
    by: User | None = None,
    next_check_at: datetime | None = None,
    facts: Mapping[str, Any] | None = None,
    **columns: Any,
) -> None:
    """Nothing came through the gateway, or nothing that is kept. `code` and `reason` say why, `facts` go to the event.

    With `next_check_at` the gateway is asked once more, to close what stands open there.
    """
    failed = {"failed_at": clock.now(), "failure_reason": reason[:500], "next_check_at": next_check_at}
    _move("fail", payment, PaymentStatus.FAILED, **failed, **columns)
    events.record(payment_event("payment.failed", payment, by, code=code, reason=reason, **(facts or {})))


def give_up(payment: Payment, **columns: Any) -> None:
    """The attempt ended before anything was charged."""
    _move("give_up", payment, PaymentStatus.CANCELED, **columns)
    events.record(payment_event("payment.canceled", payment))


def await_gateway(payment: Payment, next_check_at: datetime, **columns: Any) -> None:
    """The gateway works on it and is asked again at `next_check_at`."""
    _move("await_gateway", payment, PaymentStatus.PROCESSING, next_check_at=next_check_at, checks=0, **columns)
    events.record(payment_event("payment.processing", payment))


def lose_sight(payment: Payment, next_check_at: datetime) -> None:
    """The gateway was asked for money and did not answer; it is asked again at `next_check_at`."""
    _move("lose_sight", payment, PaymentStatus.UNKNOWN, next_check_at=next_check_at, checks=0)
    events.record(payment_event("payment.unknown", payment))


def refund(payment: Payment, amount: Decimal) -> None:
    """`amount` more of the payment went back; its event is the credit note's. Raises TransitionNotAllowed."""
    refunded = payment.refunded_amount + amount
    # The second belt: whoever forgot the lock finds that somebody else has refunded meanwhile.
    unchanged = Payment.objects.filter(pk=payment.pk, refunded_amount=payment.refunded_amount)
    if not unchanged.update(refunded_amount=refunded):
        raise TransitionNotAllowed("The payment was refunded by somebody else just now. Look at it again.")
    payment.refunded_amount = refunded
    status = PaymentStatus.REFUNDED if refunded == payment.amount else PaymentStatus.PARTIALLY_REFUNDED
    # A dispute that took a part stays one; the credit notes say what went back.
    if payment.status not in {status, PaymentStatus.DISPUTED} or status == PaymentStatus.REFUNDED:
        _move("refund", payment, status)


def dispute(payment: Payment) -> None:
    """The payer complains; its event is the dispute's. One that went back already, or is disputed, stays as it is."""
    if PaymentStatus.DISPUTED in PAYMENT_TRANSITIONS[payment.status]:
        _move("dispute", payment, PaymentStatus.DISPUTED)


def flag_for_review(payment: Payment, reason: str) -> None:
    """Take a locked payment out of everything that runs by itself, and tell the operators."""
    payment.needs_review, payment.review_reason, payment.next_check_at = True, reason[:500], None
    payment.save(update_fields=["needs_review", "review_reason", "next_check_at"])
    logger.error("payment needs review", extra={"payment": payment.pk})
    events.record(payment_event("payment.needs_review", payment, reason=payment.review_reason))


def payment_event(event_type: str, payment: Payment, actor: User | None = None, **data: Any) -> events.NewEvent:
    """An event of a payment, with what it was about."""
    facts = {
        "invoice_id": payment.invoice_id,
        "invoice_number": payment.invoice.invoice_number,
        "amount": str(payment.amount),
        "currency": payment.currency,
        "payment_method": payment.payment_method,
    }
    return events.about(event_type, payment, actor, facts | data)


def _made(account: Account, invoice: Invoice, status: PaymentStatus, columns: Mapping[str, Any]) -> Payment:
    due = {"account": account, "invoice": invoice, "amount": invoice.total, "currency": invoice.currency}
    return Payment.objects.create(status=status, **due, **columns)


def _move(owner: str, payment: Payment, to: PaymentStatus, **columns: Any) -> None:
    # Moves that are not allowed at all are `transition`'s to refuse, in words.
    if TRANSITION_OWNERS.get((payment.status, to), owner) != owner:
        raise RuntimeError(f"{owner} does not move payments from {payment.status} to {to}; see TRANSITION_OWNERS.")
    transition(payment, to, PAYMENT_TRANSITIONS, **columns)
