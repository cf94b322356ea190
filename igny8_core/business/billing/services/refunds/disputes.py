"""Disputes: a customer complains at their bank or at PayPal, and the money goes back if they are right."""

from django.db.models import Sum

from igny8_core.auth.locks import lock_account
from igny8_core.business.billing.errors import GatewayUnavailable
from igny8_core.business.billing.gateways import gateway_of, traits_of
from igny8_core.business.billing.gateways.protocol import DisputeState, GatewayDispute, GatewayRefund, RefundState
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import (
    DISPUTE_TRANSITIONS,
    Dispute,
    DisputeStatus,
    Payment,
)
from igny8_core.business.billing.services.collection.lookup import find_payment
from igny8_core.business.billing.services.payment_states import transitions
from igny8_core.business.billing.services.payment_states.transitions import flag_for_review, payment_event
from igny8_core.business.billing.services.refunds.gateway_refunds import book_foreign, sync_refunds
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.common.money import format_amount
from igny8_core.common.states import transition
from igny8_core.events import services as events

NOT_REVERSED_YET = "A dispute is lost, and the payment service does not show yet that all of the money went back."
TOLD_AT_THE_END = {
    DisputeStatus.WON: "payment.dispute_won",
    DisputeStatus.LOST: "payment.dispute_lost",
    DisputeStatus.CLOSED: "payment.dispute_closed",
}


def sync_dispute(payment_method: str, dispute_id: str) -> Dispute | None:
    """Ask the gateway for a dispute and book what became of it; None for one of another product's payments.

    Safe in any order and any number of times. Raises UnknownObject, PaymentNotFound, GatewayUnavailable,
    GatewayMisconfigured. RuntimeError in a transaction.
    """
    require_no_transaction()
    with gateway_refusals():
        told = gateway_of(payment_method).dispute(dispute_id)
    payment = find_payment(payment_method, object_id=told.object_id, capture_id=told.capture_id)
    if payment is None:
        return None
    if payment.gateway_object_id:
        # What went back before the dispute is booked first, so that both together do not exceed the payment.
        sync_refunds(payment)
    dispute = _record(payment, told)
    if _took_more_than_went_back(dispute):
        raise GatewayUnavailable(NOT_REVERSED_YET)
    return dispute


@service_transaction
def _record(payment: Payment, told: GatewayDispute) -> Dispute:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    of_account = Dispute.objects.filter(account=account, gateway=payment.payment_method)
    dispute = of_account.filter(gateway_dispute_id=told.dispute_id).first() or _open(payment, told)
    dispute.payment = payment
    if dispute.amount is None:
        _complete(dispute, told)
    _follow(dispute, told)
    # Where what it took is a refund at the gateway, it is booked as one.
    if told.state == DisputeState.LOST and not traits_of(payment.payment_method).refunds_lost_disputes:
        _book_loss(dispute, told)
    return dispute


def _open(payment: Payment, told: GatewayDispute) -> Dispute:
    dispute = Dispute.objects.create(
        account_id=payment.account_id,
        payment=payment,
        gateway=payment.payment_method,
        gateway_dispute_id=told.dispute_id,
        amount=told.amount,
        currency=told.currency,
        reason=told.reason[:500],
        opened_at=told.created_at,
    )
    transitions.dispute(payment)
    events.record(_event("payment.disputed", dispute))
    _flag_misfit(dispute)
    return dispute


def _complete(dispute: Dispute, told: GatewayDispute) -> None:
    """Fill in what releases before this table did not keep of a second dispute."""
    dispute.amount, dispute.currency = told.amount, told.currency
    dispute.reason, dispute.opened_at = told.reason[:500], told.created_at
    dispute.save(update_fields=["amount", "currency", "reason", "opened_at"])
    _flag_misfit(dispute)


def _flag_misfit(dispute: Dispute) -> None:
    """Have an operator look at a dispute over more than the payment, or over other money."""
    payment = dispute.payment
    fits = dispute.currency == payment.currency and dispute.amount is not None and dispute.amount <= payment.amount
    if fits or payment.needs_review:
        return
    over, paid = (f"{format_amount(row.amount, row.currency)} {row.currency}" for row in (dispute, payment))
    flag_for_review(payment, f"Dispute {dispute.gateway_dispute_id} is over {over}; the payment is {paid}.")


def _follow(dispute: Dispute, told: GatewayDispute) -> None:
    """Note the end of a dispute; a late answer does not open it again."""
    end = DisputeStatus(told.state.value)
    if end not in DISPUTE_TRANSITIONS[dispute.status]:
        return
    transition(dispute, end, DISPUTE_TRANSITIONS, outcome=told.outcome, closed_at=clock.now())
    events.record(_event(TOLD_AT_THE_END[end], dispute))


def _book_loss(dispute: Dispute, told: GatewayDispute) -> None:
    """Book what the bank took as a refund; no more than is left, because a part may have gone back before."""
    payment = dispute.payment
    amount = min(told.amount, payment.amount - payment.refunded_amount)
    if dispute.refund_id or amount <= 0:
        return
    taken = GatewayRefund(told.dispute_id, RefundState.SUCCEEDED, amount, told.currency)
    dispute.refund = book_foreign(payment, taken, reason=f"Dispute lost: {told.reason}"[:500])
    dispute.save(update_fields=["refund"])
    payment.refresh_from_db()


def _took_more_than_went_back(dispute: Dispute) -> bool:
    payment = dispute.payment
    if dispute.status != DisputeStatus.LOST or dispute.currency != payment.currency:
        return False
    of_payment = Dispute.objects.filter(account_id=payment.account_id, payment=payment, currency=payment.currency)
    lost = of_payment.filter(status=DisputeStatus.LOST).aggregate(total=Sum("amount"))["total"]
    return bool(payment.refunded_amount < min(lost, payment.amount))


def _event(event_type: str, dispute: Dispute) -> events.NewEvent:
    return payment_event(
        event_type,
        dispute.payment,
        dispute_id=dispute.gateway_dispute_id,
        disputed=str(dispute.amount),
        reason=dispute.reason,
    )
