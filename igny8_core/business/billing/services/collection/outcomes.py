"""Record under locks what a gateway says about a payment, whether by an answer, a webhook, polling or reconciliation.

A payment's state never goes back (docs/domain.md section 3). Money counts as captured when the gateway itself confirms
it for this payment, amount, currency, mode and customer. Anything else needs an operator's review.
"""

import logging
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

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
from igny8_core.business.billing.services.payment_states.check_times import FIRST_CHECK, FIRST_PROCESSING_CHECK
from igny8_core.business.billing.services.payment_states.stranded import book_or_flag
from igny8_core.business.billing.services.payment_states.transitions import (
    await_gateway,
    become_unknown,
    cancel,
    fail,
    flag_for_review,
    payment_event,
)
from igny8_core.business.billing.services.settlement import capture
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.common.marks import gettext_noop
from igny8_core.common.money import amount_text
from igny8_core.events import services as events

logger = logging.getLogger(__name__)
CAME_TOO_LATE = gettext_noop(
    "The money arrived after this attempt or its invoice was closed. It goes back to the customer."
)
NOT_FINISHED = gettext_noop("The payment was not finished. Nothing was charged.")


def apply_charge(payment: Payment, charge: Charge) -> Payment:
    """Update a payment to what its gateway says. Captured money is settled here, once.

    A charge with another customer, amount, currency or mode settles nothing: the payment needs review. The payment
    also needs review if the gateway has the money but settling it fails. Money for a closed invoice is sent back.
    Returns the payment as it is now. RuntimeError in a transaction.
    """
    require_no_transaction()
    if charge.state != ChargeState.SUCCEEDED:
        return _record(payment, charge)
    return book_or_flag(partial(_record, payment, charge), partial(_flag_unbooked, payment, charge))


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
def _flag_unbooked(payment: Payment, charge: Charge, reason: str) -> Payment:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if not payment.needs_review and payment.status not in CAPTURED_STATUSES:
        _save_ids(payment, charge)
        flag_for_review(payment, reason)
    return payment


@service_transaction
def mark_failed(payment: Payment, code: str, text: str, *, frees_key: bool = False) -> Payment:
    """Mark an attempt as failed, with nothing charged. `frees_key`: its Idempotency-Key may begin a new attempt."""
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.status in GATEWAY_UNDER_WAY and not payment.needs_review:
        _fail(payment, code, text, **({"request_key": ""} if frees_key else {}))
    return payment


@service_transaction
def mark_abandoned(payment: Payment) -> Payment:
    """Close an attempt here that cannot be ended at its gateway. From now on we never capture its money.

    It is checked once more, because a capture that was running at this moment has to be sent back.
    """
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.status not in GATEWAY_UNDER_WAY or payment.needs_review:
        return payment
    if payment.status == PaymentStatus.PENDING:
        cancel(payment, next_check_at=clock.now() + FIRST_CHECK, checks=0)
    else:
        _fail(payment, "canceled", NOT_FINISHED)
    return payment


@service_transaction
def mark_unknown(payment: Payment) -> Payment:
    """The gateway was asked for money and did not answer: the payment is unknown until polling finds out (FLT-12)."""
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.status in {PaymentStatus.PENDING, PaymentStatus.PROCESSING} and not payment.needs_review:
        become_unknown(payment, clock.now() + FIRST_CHECK)
    return payment


@service_transaction
def mark_lost(payment: Payment) -> Payment:
    """The gateway no longer knows an attempt that it had begun.

    Some gateways forget attempts that the customer did not continue: such an attempt has failed. In any other case an
    operator has to look, because our keys may belong to another gateway account.
    """
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    if payment.status not in GATEWAY_UNDER_WAY or payment.needs_review:
        return payment
    if traits_of(payment.payment_method).forgets_open_attempts and payment.status == PaymentStatus.PENDING:
        _fail(payment, "expired", _("The payment was not finished in time. Nothing was charged."))
    else:
        text = f"The gateway does not know {payment.gateway_object_id}. Check that its keys are the right ones."
        flag_for_review(payment, text)
    return payment


def order_return(payment: Payment, charge: Charge, reason: str, ordered_by: User | None = None) -> Refund:
    """Order a refund of what the charge still holds, because it bought nothing. The next poll sends it.

    `reason` is for operators. The caller holds the payment's lock.
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
    """A sentence for operators that says how a charge differs from the payment; empty if it matches."""
    if charge.reference != str(payment.uuid):
        return f"{charge.object_id} at the gateway names another payment ({charge.reference or 'none'})."
    if payment.gateway_object_id not in {"", charge.object_id}:
        return f"The gateway answered with {charge.object_id}, but this payment is {payment.gateway_object_id}."
    if charge.live != gateway_of(payment.payment_method).live:
        return "The gateway's object has the wrong mode: test instead of live, or live instead of test."
    if charge.state not in {ChargeState.SUCCEEDED, ChargeState.APPROVED}:
        return ""
    if traits_of(payment.payment_method).saves_cards and charge.customer_id != account.stripe_customer_id:
        return f"The charge belongs to customer {charge.customer_id or 'none'}, not to this account's customer."
    if (charge.amount, charge.currency) != (payment.amount, payment.currency):
        taken = amount_text(charge.amount, charge.currency)
        due = amount_text(payment.amount, payment.currency)
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
    """Send back money that bought nothing: order a refund of all of it, once. The next poll sends it."""
    if payment.status in GATEWAY_UNDER_WAY:
        fail(payment, "invoice_closed", CAME_TOO_LATE, **_ids(charge))
    returned = Refund.objects.filter(payment=payment, is_return=True).exclude(status=RefundStatus.FAILED)
    if charge.amount > charge.refunded and not returned.exists():
        logger.error("money came for a closed invoice", extra={"payment": payment.pk})
        order_return(payment, charge, CAME_TOO_LATE)


def _follow(payment: Payment, charge: Charge) -> None:
    """Update a payment under way to a charge that holds no money."""
    is_pending = payment.status == PaymentStatus.PENDING
    is_final = payment.is_confirmed_by_us or traits_of(payment.payment_method).declined_attempt_is_final
    if charge.state == ChargeState.DECLINED and (is_final or not is_pending):
        _fail(payment, charge.failure_code, charge.failure_text, **_ids(charge))
    elif charge.state == ChargeState.CANCELED:
        _end_canceled(payment, charge)
    elif charge.state == ChargeState.PROCESSING and is_pending:
        await_gateway(payment, clock.now() + FIRST_PROCESSING_CHECK, **_ids(charge))
    else:
        if charge.state == ChargeState.UNKNOWN:
            logger.error("unknown status at the gateway", extra={"payment": payment.pk, "status": charge.raw_status})
        # The customer can continue, with another card if the last one was declined.
        _save_ids(payment, charge, failure_reason=charge.failure_text[:500])


def _end_canceled(payment: Payment, charge: Charge) -> None:
    if payment.status == PaymentStatus.PENDING:
        cancel(payment, next_check_at=None, **_ids(charge))
    else:
        _fail(payment, "canceled", NOT_FINISHED, **_ids(charge))


def _fail(payment: Payment, code: str, text: str, **changes: Any) -> None:
    off_session = bool(payment.metadata.get("order", {}).get("off_session"))
    fail(
        payment,
        code,
        text,
        # The next poll closes what is still open at the gateway, so that it cannot succeed later.
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
