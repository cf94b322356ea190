"""Every transition of a payment's status. Each has one owner function here, which also records the event.

No other code writes the status; tests/billing/test_payment_transitions.py holds that. The caller holds the locks of
account and payment and has checked that the transition is right. Only settlement.capture calls `succeed`.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import (
    PAYMENT_TRANSITIONS,
    Invoice,
    Payment,
    PaymentStatus,
    RejectionCode,
)
from igny8_core.common import clock
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.common.states import transition
from igny8_core.events import services as events

logger = logging.getLogger(__name__)
_S = PaymentStatus
# Which function creates a payment in a status (from None), or makes the transition from one status to another.
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
    (_S.PENDING, _S.CANCELED): "cancel",
    (_S.PENDING, _S.PROCESSING): "await_gateway",
    (_S.PENDING, _S.UNKNOWN): "become_unknown",
    (_S.PROCESSING, _S.UNKNOWN): "become_unknown",
    (_S.SUCCEEDED, _S.PARTIALLY_REFUNDED): "refund",
    (_S.SUCCEEDED, _S.REFUNDED): "refund",
    (_S.PARTIALLY_REFUNDED, _S.REFUNDED): "refund",
    (_S.DISPUTED, _S.REFUNDED): "refund",
    (_S.SUCCEEDED, _S.DISPUTED): "dispute",
    (_S.PARTIALLY_REFUNDED, _S.DISPUTED): "dispute",
}


def submit(account: Account, invoice: Invoice, by: User | None, **columns: Any) -> Payment:
    """A customer confirms that they paid the invoice's whole amount; an operator will decide."""
    payment = _create(account, invoice, PaymentStatus.PENDING_APPROVAL, columns)
    events.record(payment_event("payment.submitted", payment, by, reference=payment.manual_reference))
    return payment


def start(account: Account, invoice: Invoice, by: User | None = None, **columns: Any) -> Payment:
    """An attempt to collect an invoice's whole amount through a gateway; or Stripe has collected it by itself."""
    payment = _create(account, invoice, PaymentStatus.PENDING, columns)
    # This is also the record that the customer agreed to have the card saved.
    saves_card = bool(payment.metadata.get("order", {}).get("save_card"))
    events.record(payment_event("payment.started", payment, by, **({"saves_card": True} if saves_card else {})))
    return payment


def succeed(payment: Payment, by: User | None = None, **columns: Any) -> None:
    """The money is here: operator `by` found it, or its gateway has it (None). Only settlement.capture calls this."""
    now = clock.now()
    decided = {"approved_by": by, "approved_at": now} if by else {}
    _transition("succeed", payment, PaymentStatus.SUCCEEDED, processed_at=now, **decided, **columns)
    if by:
        events.record(payment_event("payment.approved", payment, by, admin_notes=columns.get("admin_notes", "")))
    else:
        events.record(payment_event("payment.succeeded", payment))


def reject(payment: Payment, by: User | None, code: RejectionCode, reason: str, internal_note: str = "") -> None:
    """An operator did not find the money. The customer reads the code's sentence and the `reason`, not the note."""
    now, told = clock.now(), code.told(reason)
    decided = {
        "approved_by": by,
        "approved_at": now,
        "admin_notes": internal_note or reason,
        "internal_note": internal_note,
    }
    why = {"reason_code": code, "failure_reason": told[:500]}
    _transition("reject", payment, PaymentStatus.FAILED, failed_at=now, **decided, **why)
    # Members read this event's data, so the note is not in it.
    events.record(payment_event("payment.rejected", payment, by, reason_code=code.value, reason=told))


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
    """The gateway collected nothing, or what it collected goes back.

    `code` and `reason` say why; `facts` are added to the event. With `next_check_at` the gateway is asked again at that
    time, to close what is still open there.
    """
    failed = {"failed_at": clock.now(), "failure_reason": reason[:500], "next_check_at": next_check_at}
    _transition("fail", payment, PaymentStatus.FAILED, **failed, **columns)
    events.record(payment_event("payment.failed", payment, by, code=code, reason=reason, **(facts or {})))


def cancel(payment: Payment, **columns: Any) -> None:
    """The attempt was closed before anything was charged."""
    _transition("cancel", payment, PaymentStatus.CANCELED, **columns)
    events.record(payment_event("payment.canceled", payment))


def await_gateway(payment: Payment, next_check_at: datetime, **columns: Any) -> None:
    """The gateway is processing the payment; it is asked again at `next_check_at`."""
    _transition("await_gateway", payment, PaymentStatus.PROCESSING, next_check_at=next_check_at, checks=0, **columns)
    events.record(payment_event("payment.processing", payment))


def become_unknown(payment: Payment, next_check_at: datetime) -> None:
    """The gateway was asked for money and did not answer; it is asked again at `next_check_at`."""
    _transition("become_unknown", payment, PaymentStatus.UNKNOWN, next_check_at=next_check_at, checks=0)
    events.record(payment_event("payment.unknown", payment))


def refund(payment: Payment, amount: Decimal) -> None:
    """`amount` more of the payment was refunded. The caller records the event. Raises TransitionNotAllowed."""
    refunded = payment.refunded_amount + amount
    # A second safeguard: if the caller forgot the lock, this finds that another refund came first.
    unchanged = Payment.objects.filter(pk=payment.pk, refunded_amount=payment.refunded_amount)
    if not unchanged.update(refunded_amount=refunded):
        raise TransitionNotAllowed(_("The payment was refunded by somebody else just now. Look at it again."))
    payment.refunded_amount = refunded
    status = PaymentStatus.REFUNDED if refunded == payment.amount else PaymentStatus.PARTIALLY_REFUNDED
    # A dispute that took part of the money stays a dispute; the credit notes say how much was refunded.
    if payment.status not in {status, PaymentStatus.DISPUTED} or status == PaymentStatus.REFUNDED:
        _transition("refund", payment, status)


def dispute(payment: Payment) -> None:
    """The payer disputes the payment. The caller records the event. A refunded or disputed payment stays as it is."""
    if PaymentStatus.DISPUTED in PAYMENT_TRANSITIONS[payment.status]:
        _transition("dispute", payment, PaymentStatus.DISPUTED)


def flag_for_review(payment: Payment, reason: str) -> None:
    """Stop all automatic work on a locked payment, and tell the operators why."""
    payment.needs_review, payment.review_reason, payment.next_check_at = True, reason[:500], None
    payment.save(update_fields=["needs_review", "review_reason", "next_check_at"])
    logger.error("payment needs review", extra={"payment": payment.pk})
    events.record(payment_event("payment.needs_review", payment, reason=payment.review_reason))


def payment_event(event_type: str, payment: Payment, actor: events.Actor = None, **data: Any) -> events.NewEvent:
    """An event about a payment. `data` is added to the payment's facts, or replaces them."""
    facts = {
        "invoice_id": payment.invoice_id,
        "invoice_number": payment.invoice.invoice_number,
        "amount": str(payment.amount),
        "currency": payment.currency,
        "payment_method": payment.payment_method,
    }
    return events.about(event_type, payment, actor, facts | data)


def _create(account: Account, invoice: Invoice, status: PaymentStatus, columns: Mapping[str, Any]) -> Payment:
    due = {"account": account, "invoice": invoice, "amount": invoice.total, "currency": invoice.currency}
    return Payment.objects.create(status=status, **due, **columns)


def _transition(owner: str, payment: Payment, to: PaymentStatus, **columns: Any) -> None:
    # `transition` itself refuses what is not allowed at all, with a sentence.
    if TRANSITION_OWNERS.get((payment.status, to), owner) != owner:
        raise RuntimeError(f"{owner} does not own the transition from {payment.status} to {to}; see TRANSITION_OWNERS.")
    transition(payment, to, PAYMENT_TRANSITIONS, **columns)
