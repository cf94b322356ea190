"""Disputes: a customer complains at their bank or at PayPal, and the money goes back if they are right."""

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.errors import GatewayUnavailable
from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.gateways.protocol import Dispute, GatewayRefund, RefundState
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import PAYMENT_MOVES, Payment, PaymentStatus
from igny8_core.business.billing.services.charge_records import flag_for_review, payment_event
from igny8_core.business.billing.services.gateway_calls import gateway_refusals
from igny8_core.business.billing.services.gateway_refunds import GatewayRefundService, book_foreign
from igny8_core.business.billing.services.settled_payments import settled_payment
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.common.states import transition
from igny8_core.events import services as events

OPEN, LOST, WON = "open", "lost", "won"
NOT_REVERSED_YET = "A dispute is lost, and the payment service does not show yet that all of the money went back."


class DisputeService:
    """What gateways tell of disputes; an operator answers them in the gateway's dashboard."""

    @staticmethod
    def sync(payment_method: str, dispute_id: str) -> Payment | None:
        """Ask the gateway for a dispute and book what became of it; None for one of another product's payments.

        Safe in any order and any number of times. Raises UnknownObject, PaymentNotFound, GatewayUnavailable,
        GatewayMisconfigured. RuntimeError in a transaction.
        """
        require_no_transaction()
        with gateway_refusals():
            dispute = gateway_of(payment_method).dispute(dispute_id)
        payment = settled_payment(payment_method, object_id=dispute.object_id, capture_id=dispute.capture_id)
        if payment is None:
            return None
        if payment.gateway_object_id:
            # What went back before the dispute is booked first, so that both together do not exceed the payment.
            GatewayRefundService.sync(payment)
        payment = _record(payment, dispute)
        if dispute.is_lost and payment.refunded_amount < min(dispute.amount, payment.amount):
            raise GatewayUnavailable(NOT_REVERSED_YET)
        return payment


@service_transaction
def _record(payment: Payment, dispute: Dispute) -> Payment:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    noted = payment.metadata.get("dispute", {})
    if noted.get("id", dispute.dispute_id) != dispute.dispute_id:
        _note_another(payment, dispute, noted["id"])
    elif not noted:
        _note(payment, dispute, OPEN)
        events.record(_event("payment.disputed", payment, dispute))
    if payment.metadata["dispute"]["id"] == dispute.dispute_id:
        _close(payment, dispute)
    # Money that PayPal takes back is a refund of the capture, which is booked as one.
    if dispute.is_lost and payment.payment_method == PaymentMethodType.STRIPE:
        _book_loss(payment, dispute)
    return payment


def _note(payment: Payment, dispute: Dispute, status: str) -> None:
    facts = {
        "id": dispute.dispute_id,
        "amount": str(dispute.amount),
        "currency": dispute.currency,
        "reason": dispute.reason,
        "status": status,
    }
    metadata = {**payment.metadata, "dispute": facts}
    if PaymentStatus.DISPUTED in PAYMENT_MOVES[payment.status]:
        transition(payment, PaymentStatus.DISPUTED, PAYMENT_MOVES, metadata=metadata)
    else:
        payment.metadata = metadata
        payment.save(update_fields=["metadata"])


def _note_another(payment: Payment, dispute: Dispute, first: str) -> None:
    """Have an operator look at a second dispute, once."""
    others = payment.metadata.get("other_disputes", [])
    if dispute.dispute_id in others:
        return
    payment.metadata["other_disputes"] = [*others, dispute.dispute_id]
    payment.save(update_fields=["metadata"])
    if not payment.needs_review:
        flag_for_review(payment, f"Dispute {dispute.dispute_id} was opened beside dispute {first}.")


def _close(payment: Payment, dispute: Dispute) -> None:
    """Note the end of the noted dispute; a late answer does not open it again."""
    if payment.metadata["dispute"]["status"] != OPEN:
        return
    if dispute.is_lost:
        _note(payment, dispute, LOST)
    elif dispute.is_won:
        _note(payment, dispute, WON)
        events.record(_event("payment.dispute_won", payment, dispute))


def _book_loss(payment: Payment, dispute: Dispute) -> None:
    """Book what the bank took as a refund; no more than is left, because a part may have gone back before."""
    amount = min(dispute.amount, payment.amount - payment.refunded_amount)
    if amount > 0:
        taken = GatewayRefund(dispute.dispute_id, RefundState.SUCCEEDED, amount, dispute.currency)
        book_foreign(payment, taken, reason=f"Dispute lost: {dispute.reason}"[:500])
        payment.refresh_from_db()


def _event(event_type: str, payment: Payment, dispute: Dispute) -> events.NewEvent:
    return payment_event(
        event_type,
        payment,
        dispute_id=dispute.dispute_id,
        disputed=str(dispute.amount),
        reason=dispute.reason,
    )
