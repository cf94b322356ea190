"""Polling: ask gateways, on a schedule, about payments and refunds that are not decided (FLT-12).

The times are in payment_states/check_times. A payment that a customer left open is closed after a day. What is still
undecided at the end of its schedule waits for an operator.
"""

import logging
from datetime import timedelta

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import User
from igny8_core.business.billing.errors import NothingToReturn, OwnAccountPayment
from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.gateways.protocol import Charge, ChargeState
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    GATEWAY_UNDER_WAY,
    REFUNDS_UNDER_WAY,
    Payment,
    PaymentStatus,
    Refund,
)
from igny8_core.business.billing.services.collection.gateway_payments import ask_gateway, close_attempt, sync_payment
from igny8_core.business.billing.services.collection.outcomes import order_return
from igny8_core.business.billing.services.payment_states.check_times import LEFT_OPEN_FOR, PAYMENT_PAUSES, REFUND_PAUSES
from igny8_core.business.billing.services.payment_states.transitions import fail, flag_for_review, payment_event
from igny8_core.business.billing.services.refunds.gateway_refunds import ask_about_refund, sync_refunds
from igny8_core.business.billing.services.stripe_billing.invoices import record_invoice
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.common.work_queue import WorkQueue
from igny8_core.events import services as events

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)


def poll_due(limit: int = 200) -> int:
    """Check the payments and refunds that are due, at most `limit` of each; returns how many were checked."""
    return PAYMENTS.run(limit) + REFUNDS.run(limit)


def check_payment_now(payment: Payment, checked_by: User | None = None) -> Payment:
    """Ask the gateway about a payment at once. A payment that needs review is judged again.

    Returns the payment as it is now. Raises GatewayUnavailable, GatewayMisconfigured. RuntimeError in a transaction.
    """
    require_no_transaction()
    _clear_review(payment, checked_by)
    payment.refresh_from_db()
    if payment.status in CAPTURED_STATUSES:
        sync_refunds(payment)
    elif payment.invoice.stripe_invoice_id:
        record_invoice(payment.invoice.stripe_invoice_id)
    elif payment.gateway_object_id:
        sync_payment(payment.payment_method, payment.gateway_object_id)
    elif payment.status in GATEWAY_UNDER_WAY:
        ask_gateway(payment)
    payment.refresh_from_db()
    return payment


def return_money(payment: Payment, ordered_by: User) -> Refund:
    """Close a payment that needs review, and send back whatever its gateway holds of it.

    Raises NothingToReturn if the payment needs no review or its gateway holds nothing, GatewayUnavailable,
    OwnAccountPayment. RuntimeError in a transaction.
    """
    require_no_transaction()
    if not payment.needs_review or not payment.gateway_object_id or payment.status in CAPTURED_STATUSES:
        raise NothingToReturn()
    with gateway_refusals():
        charge = gateway_of(payment.payment_method).fetch(payment.gateway_object_id)
    if charge.state != ChargeState.SUCCEEDED or charge.amount <= charge.refunded:
        raise NothingToReturn()
    refund = _return(payment, charge, ordered_by)
    return ask_about_refund(refund)


def _check_payment(payment: Payment) -> None:
    if payment.invoice.stripe_invoice_id:
        record_invoice(payment.invoice.stripe_invoice_id)
        return
    if payment.status not in GATEWAY_UNDER_WAY:
        close_attempt(payment)
        return
    attempt = ask_gateway(payment)
    state = attempt.charge.state if attempt.charge else None
    waits_for_customer = state in {ChargeState.AWAITING_CUSTOMER, ChargeState.REQUIRES_ACTION, ChargeState.DECLINED}
    is_left = clock.now() - payment.created_at >= LEFT_OPEN_FOR
    # A customer who got no answer has left the page, so nobody can continue this attempt.
    if attempt.payment.status in GATEWAY_UNDER_WAY and waits_for_customer and (is_left or not _is_pending(payment)):
        close_attempt(attempt.payment)


def _is_pending(payment: Payment) -> bool:
    return payment.status == PaymentStatus.PENDING


def _check_refund(refund: Refund) -> None:
    ask_about_refund(refund)


@service_transaction
def _give_up_payment(payment: Payment, error: str) -> None:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.status in GATEWAY_UNDER_WAY:
        _flag_undecided(payment)
        return
    PAYMENTS.close(payment)
    logger.error("a failed attempt could not be closed at its gateway", extra={"payment": payment.pk, "error": error})


@service_transaction
def _give_up_refund(refund: Refund, error: str) -> None:
    account = lock_account(refund.account_id)
    payment = lock_payment(account, refund.payment_id)
    is_open = Refund.objects.filter(pk=refund.pk, status__in=REFUNDS_UNDER_WAY).exists()
    if REFUNDS.close(refund) and is_open:
        _flag_undecided(payment)


def _flag_undecided(payment: Payment) -> None:
    if not payment.needs_review:
        flag_for_review(payment, "The gateway has not decided this payment for days. Look it up in its dashboard.")


@service_transaction
def _clear_review(payment: Payment, checked_by: User | None) -> None:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if not payment.needs_review:
        return
    payment.needs_review, payment.review_reason, payment.checks = False, "", 0
    # A payment under way has to be checked again, in case the gateway does not answer now.
    payment.next_check_at = clock.now() + LEASE if payment.status in GATEWAY_UNDER_WAY else None
    payment.save(update_fields=["needs_review", "review_reason", "checks", "next_check_at"])
    events.record(payment_event("payment.review_cleared", payment, checked_by))


@service_transaction
def _return(payment: Payment, charge: Charge, ordered_by: User) -> Refund:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if ordered_by.account_id == payment.account_id:
        raise OwnAccountPayment()
    if not payment.needs_review:
        raise NothingToReturn()
    reason = f"Returned after a review: {payment.review_reason}"[:500]
    if payment.status in GATEWAY_UNDER_WAY:
        fail(payment, "returned", reason, by=ordered_by)
    payment.needs_review = False
    payment.save(update_fields=["needs_review"])
    return order_return(payment, charge, reason, ordered_by)


PAYMENTS = WorkQueue(
    name="payment check",
    rows=Payment.objects.select_related("account", "invoice"),
    lease=LEASE,
    work=_check_payment,
    pauses=lambda payment: PAYMENT_PAUSES.get(payment.status, REFUND_PAUSES),
    give_up=_give_up_payment,
    state=None,
    due_at="next_check_at",
    attempts="checks",
    error=None,
)
REFUNDS = WorkQueue(
    name="refund check",
    rows=Refund.objects.select_related("payment__account", "payment__invoice", "requested_by"),
    lease=LEASE,
    work=_check_refund,
    pauses=lambda _: REFUND_PAUSES,
    give_up=_give_up_refund,
    state=None,
    due_at="next_check_at",
    attempts="checks",
    error=None,
)
