"""Disputes: a customer complains at their bank or at PayPal. If they win, the money goes back to them."""

from django.db.models import Sum
from django.utils.translation import gettext as _

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
from igny8_core.business.billing.services.refunds.gateway_refunds import book_external_refund, sync_refunds
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.common.languages import in_language
from igny8_core.common.money import amount_text
from igny8_core.common.states import transition
from igny8_core.events import services as events

NOT_REVERSED_YET = "A dispute is lost, but the payment service does not show all of the reversed money yet."
CLOSING_EVENTS = {
    DisputeStatus.WON: "payment.dispute_won",
    DisputeStatus.LOST: "payment.dispute_lost",
    DisputeStatus.CLOSED: "payment.dispute_closed",
}


def sync_dispute(payment_method: str, dispute_id: str) -> Dispute | None:
    """Ask the gateway about a dispute and book its outcome; None if it is about another product's payment.

    Safe in any order and any number of times. Raises UnknownObject, PaymentNotFound, GatewayUnavailable,
    GatewayMisconfigured. RuntimeError in a transaction.
    """
    require_no_transaction()
    with gateway_refusals():
        reported = gateway_of(payment_method).dispute(dispute_id)
    payment = find_payment(payment_method, object_id=reported.object_id, capture_id=reported.capture_id)
    if payment is None:
        return None
    if payment.gateway_object_id:
        # Earlier refunds are booked first, so that refunds and dispute together do not exceed the payment.
        sync_refunds(payment)
    dispute = _record(payment, reported)
    if _is_reversal_missing(dispute):
        raise GatewayUnavailable(NOT_REVERSED_YET)
    return dispute


@service_transaction
def _record(payment: Payment, reported: GatewayDispute) -> Dispute:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    of_account = Dispute.objects.filter(account=account, gateway=payment.payment_method)
    dispute = of_account.filter(gateway_dispute_id=reported.dispute_id).first() or _create(payment, reported)
    dispute.payment = payment
    if dispute.amount is None:
        _fill_in(dispute, reported)
    _apply_outcome(dispute, reported)
    # Some gateways report a lost dispute as a refund; those are booked by sync_refunds.
    if reported.state == DisputeState.LOST and not traits_of(payment.payment_method).refunds_lost_disputes:
        _book_loss(dispute, reported)
    return dispute


def _create(payment: Payment, reported: GatewayDispute) -> Dispute:
    dispute = Dispute.objects.create(
        account_id=payment.account_id,
        payment=payment,
        gateway=payment.payment_method,
        gateway_dispute_id=reported.dispute_id,
        amount=reported.amount,
        currency=reported.currency,
        reason=reported.reason[:500],
        opened_at=reported.created_at,
    )
    transitions.dispute(payment)
    events.record(_event("payment.disputed", dispute))
    _flag_mismatch(dispute)
    return dispute


def _fill_in(dispute: Dispute, reported: GatewayDispute) -> None:
    """Fill in what earlier releases did not store about a second dispute of a payment."""
    dispute.amount, dispute.currency = reported.amount, reported.currency
    dispute.reason, dispute.opened_at = reported.reason[:500], reported.created_at
    dispute.save(update_fields=["amount", "currency", "reason", "opened_at"])
    _flag_mismatch(dispute)


def _flag_mismatch(dispute: Dispute) -> None:
    """Flag the payment for review if the dispute is about more than the payment, or about another currency."""
    payment = dispute.payment
    fits = dispute.currency == payment.currency and dispute.amount is not None and dispute.amount <= payment.amount
    if fits or payment.needs_review:
        return
    over, paid = (amount_text(row.amount, row.currency) for row in (dispute, payment))
    flag_for_review(payment, f"Dispute {dispute.gateway_dispute_id} is about {over}; the payment is {paid}.")


def _apply_outcome(dispute: Dispute, reported: GatewayDispute) -> None:
    """Record the outcome of a dispute; an outdated answer does not open it again."""
    end = DisputeStatus(reported.state.value)
    if end not in DISPUTE_TRANSITIONS[dispute.status]:
        return
    transition(dispute, end, DISPUTE_TRANSITIONS, outcome=reported.outcome, closed_at=clock.now())
    events.record(_event(CLOSING_EVENTS[end], dispute))


def _book_loss(dispute: Dispute, reported: GatewayDispute) -> None:
    """Book what the bank took as a refund: at most what is left, because part may have been refunded before."""
    payment = dispute.payment
    amount = min(reported.amount, payment.amount - payment.refunded_amount)
    if dispute.refund_id or amount <= 0:
        return
    taken = GatewayRefund(reported.dispute_id, RefundState.SUCCEEDED, amount, reported.currency)
    # The customer reads it on the credit note.
    with in_language(payment.account.language):
        reason = _("Dispute lost: %(reason)s") % {"reason": reported.reason}
    dispute.refund = book_external_refund(payment, taken, reason=reason[:500])
    dispute.save(update_fields=["refund"])
    payment.refresh_from_db()


def _is_reversal_missing(dispute: Dispute) -> bool:
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
