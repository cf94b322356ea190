"""What a gateway says of a payment, recorded under locks: the one way in for answers, messages, checks and reconciling.

States only move forward (docs/domain.md section 3). Money is believed when the gateway itself says that it has it, for
this payment, in this amount, currency and mode, of this customer; anything else waits for an operator.
"""

import logging
from datetime import timedelta
from functools import partial
from typing import Any

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, SubscriptionStatus, User
from igny8_core.business.billing.gateways import gateway_of, traits_of
from igny8_core.business.billing.gateways.protocol import Charge, ChargeState
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    GATEWAY_UNDER_WAY,
    InvoiceStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from igny8_core.business.billing.services.payment_states.stranded import unless_stranded
from igny8_core.business.billing.services.payment_states.transitions import (
    await_gateway,
    fail,
    flag_for_review,
    give_up,
    lose_sight,
    payment_event,
)
from igny8_core.business.billing.services.settlement import capture
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.common.money import format_amount
from igny8_core.events import services as events

logger = logging.getLogger(__name__)
FIRST_CHECK = timedelta(minutes=5)
PROCESSING_CHECK = timedelta(hours=1)
CAME_TOO_LATE = "The money came when this attempt or its invoice was closed already. It goes back to the customer."


def apply_charge(payment: Payment, charge: Charge) -> Payment:
    """Bring a payment to where its gateway is with it; what follows from captured money is done here, once.

    Charges of strangers, other amounts, currencies or modes settle nothing: the payment needs review. So it does where
    the gateway has the money and what follows from it fails. Money for a closed invoice is ordered to go back. Returns
    the payment as it is now. RuntimeError in a transaction.
    """
    require_no_transaction()
    if charge.state != ChargeState.SUCCEEDED:
        return _record(payment, charge)
    return unless_stranded(partial(_record, payment, charge), partial(_keep_visible, payment, charge))


@service_transaction
def _record(payment: Payment, charge: Charge) -> Payment:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.needs_review or payment.status in CAPTURED_STATUSES:
        return payment
    problem = _mismatch(account, payment, charge)
    if problem:
        flag_for_review(payment, problem)
    elif charge.state == ChargeState.SUCCEEDED:
        _capture(payment, charge)
    elif payment.status in GATEWAY_UNDER_WAY:
        _follow(payment, charge)
    return payment


@service_transaction
def _keep_visible(payment: Payment, charge: Charge, reason: str) -> Payment:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if not payment.needs_review and payment.status not in CAPTURED_STATUSES:
        _save_ids(payment, charge)
        flag_for_review(payment, reason)
    return payment


@service_transaction
def mark_failed(payment: Payment, code: str, text: str, *, frees_key: bool = False) -> Payment:
    """Close an attempt of which nothing was taken. With `frees_key` its Idempotency-Key can begin another one."""
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.status in GATEWAY_UNDER_WAY and not payment.needs_review:
        _fail(payment, code, text, **({"request_key": ""} if frees_key else {}))
    return payment


@service_transaction
def mark_abandoned(payment: Payment) -> Payment:
    """Give up an attempt that cannot be ended at its gateway: we never take its money from now on.

    It is looked at once more, because money that was being taken at this very moment has to go back.
    """
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.status not in GATEWAY_UNDER_WAY or payment.needs_review:
        return payment
    if payment.status == PaymentStatus.PENDING:
        give_up(payment, next_check_at=clock.now() + FIRST_CHECK, checks=0)
    else:
        _fail(payment, "canceled", "The payment was not finished. Nothing was charged.")
    return payment


@service_transaction
def mark_unknown(payment: Payment) -> Payment:
    """The gateway was asked for money and gave no answer: the payment is unknown until a check finds out (FLT-12)."""
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.status in {PaymentStatus.PENDING, PaymentStatus.PROCESSING} and not payment.needs_review:
        lose_sight(payment, clock.now() + FIRST_CHECK)
    return payment


@service_transaction
def mark_lost(payment: Payment) -> Payment:
    """The gateway does not know an attempt any more that it had begun.

    Some gateways forget one that nobody went on with: it has failed. Anything else is for an operator; the keys can be
    another account's.
    """
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.status not in GATEWAY_UNDER_WAY or payment.needs_review:
        return payment
    if traits_of(payment.payment_method).forgets_open_attempts and payment.status == PaymentStatus.PENDING:
        _fail(payment, "expired", "The payment was not finished in time. Nothing was charged.")
    else:
        flag_for_review(payment, f"The gateway does not know {payment.gateway_object_id}. Are its keys the right ones?")
    return payment


def order_return(payment: Payment, charge: Charge, reason: str, ordered_by: User | None = None) -> Refund:
    """Commit that what a charge still holds goes back, because it bought nothing; the next check carries it out.

    The caller holds the payment's lock.
    """
    _save_ids(payment, charge)
    refund = Refund.objects.create(
        account_id=payment.account_id,
        payment=payment,
        amount=charge.amount - charge.refunded,
        currency=charge.currency,
        reason=reason,
        is_return=True,
        requested_by=ordered_by,
        next_check_at=clock.now(),
    )
    events.record(payment_event("payment.return_ordered", payment, ordered_by, reason=reason))
    return refund


def _mismatch(account: Account, payment: Payment, charge: Charge) -> str:
    """What of a charge does not fit the payment, in words for an operator; empty where all fits."""
    if charge.reference != str(payment.uuid):
        return f"{charge.object_id} at the gateway names another payment: {charge.reference or 'none'}."
    if payment.gateway_object_id not in {"", charge.object_id}:
        return f"The gateway answered with {charge.object_id}; this payment is {payment.gateway_object_id}."
    if charge.live != gateway_of(payment.payment_method).live:
        return "The gateway's object is of the other mode, test instead of live or the other way round."
    if charge.state not in {ChargeState.SUCCEEDED, ChargeState.APPROVED}:
        return ""
    if traits_of(payment.payment_method).saves_cards and charge.customer_id != account.stripe_customer_id:
        return f"The charge is of customer {charge.customer_id or 'none'}, not of this account's."
    if (charge.amount, charge.currency) != (payment.amount, payment.currency):
        taken = f"{format_amount(charge.amount, charge.currency)} {charge.currency}"
        due = f"{format_amount(payment.amount, payment.currency)} {payment.currency}"
        verb = "took" if charge.state == ChargeState.SUCCEEDED else "would take"
        return f"The gateway {verb} {taken}; {due} was due."
    return ""


def _capture(payment: Payment, charge: Charge) -> None:
    invoice = payment.invoice
    is_open = invoice.status in {InvoiceStatus.PENDING, InvoiceStatus.UNCOLLECTIBLE}
    is_wanted = invoice.subscription is None or invoice.subscription.status != SubscriptionStatus.CANCELED
    if payment.status not in GATEWAY_UNDER_WAY or not (is_open and is_wanted):
        _order_return(payment, charge)
        return
    capture(payment, failure_reason="", next_check_at=None, **_ids(charge))


def _order_return(payment: Payment, charge: Charge) -> None:
    """Nothing is bought with this money: a refund of all of it is committed, which the next check carries out."""
    if payment.status in GATEWAY_UNDER_WAY:
        fail(payment, "invoice_closed", CAME_TOO_LATE, **_ids(charge))
    returned = Refund.objects.filter(payment=payment, is_return=True).exclude(status=RefundStatus.FAILED)
    if charge.amount > charge.refunded and not returned.exists():
        logger.error("money came for a closed invoice", extra={"payment": payment.pk})
        order_return(payment, charge, CAME_TOO_LATE)


def _follow(payment: Payment, charge: Charge) -> None:
    """Move a payment that is under way to where a charge is that holds no money."""
    is_pending = payment.status == PaymentStatus.PENDING
    is_final = payment.is_confirmed_by_us or traits_of(payment.payment_method).declined_attempt_is_final
    if charge.state == ChargeState.DECLINED and (is_final or not is_pending):
        _fail(payment, charge.failure_code, charge.failure_text, **_ids(charge))
    elif charge.state == ChargeState.CANCELED:
        _end_canceled(payment, charge)
    elif charge.state == ChargeState.PROCESSING and is_pending:
        await_gateway(payment, clock.now() + PROCESSING_CHECK, **_ids(charge))
    else:
        if charge.state == ChargeState.UNKNOWN:
            logger.error("unknown status at the gateway", extra={"payment": payment.pk, "status": charge.raw_status})
        # The customer can go on, with another card where the last one was declined.
        _save_ids(payment, charge, failure_reason=charge.failure_text[:500])


def _end_canceled(payment: Payment, charge: Charge) -> None:
    if payment.status == PaymentStatus.PENDING:
        give_up(payment, next_check_at=None, **_ids(charge))
    else:
        _fail(payment, "canceled", "The payment was not finished. Nothing was charged.", **_ids(charge))


def _fail(payment: Payment, code: str, text: str, **changes: Any) -> None:
    off_session = bool(payment.metadata.get("order", {}).get("off_session"))
    fail(
        payment,
        code,
        text,
        # What stands open at the gateway is closed there, so that it cannot succeed later.
        next_check_at=clock.now() if _stays_open(payment, changes) else None,
        facts={"off_session": off_session},
        metadata={**payment.metadata, "failure_code": code},
        **changes,
    )
    if off_session and code == "authentication_required":
        events.record(payment_event("payment.action_required", payment))


def _stays_open(payment: Payment, changes: dict[str, Any]) -> bool:
    could_succeed = traits_of(payment.payment_method).stays_open_after_failure
    return could_succeed and bool(changes.get("gateway_object_id") or payment.gateway_object_id)


def _ids(charge: Charge) -> dict[str, Any]:
    return {"gateway_object_id": charge.object_id, "gateway_capture_id": charge.capture_id}


def _save_ids(payment: Payment, charge: Charge, **changes: str) -> None:
    changes |= _ids(charge)
    for name, value in changes.items():
        setattr(payment, name, value)
    payment.save(update_fields=list(changes))
