"""Refund through a gateway in three steps: commit the refund, ask the gateway, lock and book the answer.

Refunds that somebody orders in the gateway's dashboard, and lost disputes, are booked the same way (REF-04, REF-05).
"""

import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import User
from igny8_core.business.billing.errors import (
    RefundBeingChecked,
    RefundRefused,
    RefundUnderWay,
    RequestKeyReused,
)
from igny8_core.business.billing.gateways import gateway_of, traits_of
from igny8_core.business.billing.gateways.protocol import (
    Declined,
    GatewayRefund,
    Misconfigured,
    RefundOrder,
    RefundState,
    Unavailable,
    UnknownObject,
)
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    REFUND_TRANSITIONS,
    REFUNDS_UNDER_WAY,
    CreditNote,
    Payment,
    Refund,
    RefundStatus,
)
from igny8_core.business.billing.services.payment_methods.availability import require_gateway
from igny8_core.business.billing.services.payment_states.check_times import FIRST_CHECK, FIRST_REFUND_PROCESSING_CHECK
from igny8_core.business.billing.services.payment_states.transitions import flag_for_review, payment_event
from igny8_core.business.billing.services.refunds.booking import book_refund, checked_amount, require_refundable
from igny8_core.common import clock
from igny8_core.common.db import refusing, require_no_transaction, service_transaction
from igny8_core.common.marks import gettext_noop
from igny8_core.common.money import amount_text
from igny8_core.common.states import transition
from igny8_core.events import services as events

logger = logging.getLogger(__name__)

MADE_AT_GATEWAY = gettext_noop("Refunded at the payment service")


def refund_through_gateway(
    payment: Payment,
    amount: Decimal | None,
    reason: str,
    refunded_by: User | None,
    request_key: str = "",
    left: Decimal | None = None,
) -> CreditNote:
    """PaymentService.process_refund for money that came through a gateway.

    Raises RefundRefused if the gateway refuses, RefundBeingChecked if it does not answer or is still processing,
    RefundUnderWay, RequestKeyReused, and what process_refund raises. RuntimeError in a transaction.
    """
    require_no_transaction()
    require_gateway(payment.payment_method)
    begun = _find_by_request_key(request_key, payment)
    refund = begun or _begin(payment, amount, reason, refunded_by, request_key, left)
    refund = ask_about_refund(refund)
    if refund.status == RefundStatus.FAILED:
        raise RefundRefused(
            _("%(text)s Its reason: %(failure_reason)s")
            % {"text": _(RefundRefused.text), "failure_reason": refund.failure_reason}
        )
    if refund.credit_note is None:
        raise RefundBeingChecked()
    return refund.credit_note


def ask_about_refund(refund: Refund) -> Refund:
    """Order a refund, or ask for its outcome, and book the answer. Safe to repeat at any time."""
    require_no_transaction()
    if refund.status not in REFUNDS_UNDER_WAY:
        return refund
    payment = refund.payment
    gateway = gateway_of(payment.payment_method)
    try:
        repeatable_for = traits_of(payment.payment_method).refund_repeatable_for
        if refund.gateway_refund_id or clock.now() - refund.created_at > repeatable_for:
            answer = _look_up(refund)
        else:
            answer = gateway.refund(_refund_order(refund))
    except Declined as refusal:
        return _mark_failed(refund, refusal.text)
    except Unavailable:
        return _mark_unknown(refund)
    except (Misconfigured, UnknownObject) as problem:
        logger.error("gateway misconfigured", extra={"refund": refund.pk, "code": problem.code})
        return _mark_failed(refund, "The payment service refused our request. An engineer has to look.")
    return apply_refund(refund, answer) if answer else _mark_failed(refund, _("The refund never reached it."))


def sync_refunds(payment: Payment) -> None:
    """Book every refund of a captured payment that the gateway has made, whoever ordered it.

    Raises GatewayUnavailable, GatewayMisconfigured.
    """
    require_no_transaction()
    gateway = gateway_of(payment.payment_method)
    with gateway_refusals():
        made = gateway.refunds_of(gateway.fetch(payment.gateway_object_id))
    for answer in made:
        refund = _find(payment, answer)
        if refund:
            apply_refund(refund, answer)
        elif answer.state == RefundState.SUCCEEDED:
            book_external_refund(payment, answer)


@service_transaction
def apply_refund(refund: Refund, answer: GatewayRefund) -> Refund:
    """Update a refund to what its gateway says. The credit note is written once the money has gone back."""
    refund = _lock(refund)
    if answer.state in {RefundState.FAILED, RefundState.CANCELED}:
        _fail(refund, answer.failure_code or _("The payment service could not give the money back."), answer.refund_id)
    elif refund.status not in REFUNDS_UNDER_WAY:
        return refund
    elif (answer.amount, answer.currency) != (refund.amount, refund.currency):
        returned, ordered = amount_text(answer.amount, answer.currency), amount_text(refund.amount, refund.currency)
        flag_for_review(refund.payment, f"Refund {answer.refund_id} gave back {returned}; {ordered} was ordered.")
    elif answer.state == RefundState.SUCCEEDED:
        _book(refund, answer.refund_id)
    else:
        processing = RefundStatus.PROCESSING
        _check_later(refund, processing, FIRST_REFUND_PROCESSING_CHECK, gateway_refund_id=answer.refund_id)
    return refund


@service_transaction
def book_external_refund(payment: Payment, answer: GatewayRefund, reason: str = MADE_AT_GATEWAY) -> Refund | None:
    """Book a refund that was not ordered here: somebody made it at the gateway, or a dispute did. Once per refund id.

    Returns None, and flags the payment for review, if the refund does not fit the payment.
    """
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    known = Refund.objects.filter(gateway_refund_id=answer.refund_id).first()
    if known or payment.status not in CAPTURED_STATUSES:
        return known
    left = payment.amount - payment.refunded_amount
    if answer.currency != payment.currency or answer.amount > left:
        if not payment.needs_review:
            returned = amount_text(answer.amount, answer.currency)
            what_was_left = amount_text(left, payment.currency)
            flag_for_review(payment, f"{answer.refund_id} gave back {returned}; {what_was_left} was left.")
        return None
    # Created as succeeded, so that it can be booked while a refund of ours is under way.
    refund = Refund.objects.create(
        account=account,
        payment=payment,
        amount=answer.amount,
        currency=answer.currency,
        status=RefundStatus.SUCCEEDED,
        reason=reason,
        gateway_refund_id=answer.refund_id,
        credit_note=book_refund(payment, answer.amount, reason=reason, gateway_refund_id=answer.refund_id),
        finished_at=clock.now(),
    )
    events.record(_event("refund.succeeded", refund))
    return refund


def _find(payment: Payment, answer: GatewayRefund) -> Refund | None:
    refunds = Refund.objects.filter(account_id=payment.account_id, payment=payment)
    by_id = refunds.filter(gateway_refund_id=answer.refund_id).first()
    if by_id or not answer.reference:
        return by_id
    return next((refund for refund in refunds if str(refund.uuid) == answer.reference), None)


def _find_by_request_key(request_key: str, payment: Payment) -> Refund | None:
    refund = Refund.objects.filter(request_key=request_key).first() if request_key else None
    if refund and refund.payment_id != payment.pk:
        raise RequestKeyReused()
    return refund


@service_transaction
def _begin(
    payment: Payment,
    amount: Decimal | None,
    reason: str,
    operator: User | None,
    request_key: str,
    left: Decimal | None,
) -> Refund:
    account = lock_account(payment.account_id)
    payment = lock_payment(account, payment.pk)
    # The same request may have been handled by another thread first.
    begun = _find_by_request_key(request_key, payment)
    if begun:
        return begun
    require_refundable(payment, operator, left)
    with refusing("igny8_refunds_one_under_way", RefundUnderWay()):
        refund = Refund.objects.create(
            account=account,
            payment=payment,
            amount=checked_amount(amount, payment),
            currency=payment.currency,
            reason=reason,
            requested_by=operator,
            request_key=request_key,
            next_check_at=clock.now() + FIRST_CHECK,
        )
    events.record(_event("refund.started", refund))
    return refund


def _refund_order(refund: Refund) -> RefundOrder:
    payment = refund.payment
    return RefundOrder(
        reference=str(refund.uuid),
        object_id=payment.gateway_object_id,
        capture_id=payment.gateway_capture_id,
        amount=refund.amount,
        currency=refund.currency,
        invoice_number=payment.invoice.invoice_number,
        metadata={"payment_id": str(payment.uuid)},
    )


def _look_up(refund: Refund) -> GatewayRefund | None:
    gateway = gateway_of(refund.payment.payment_method)
    made = gateway.refunds_of(gateway.fetch(refund.payment.gateway_object_id))
    named = (answer for answer in made if answer.reference == str(refund.uuid))
    by_id = (answer for answer in made if refund.gateway_refund_id and answer.refund_id == refund.gateway_refund_id)
    found = next(by_id, None) or next(named, None)
    # PayPal's answers do not repeat our reference, so a refund found by its id gets it here.
    return replace(found, reference=str(refund.uuid)) if found else None


@service_transaction
def _mark_failed(refund: Refund, text: str) -> Refund:
    refund = _lock(refund)
    if refund.status in REFUNDS_UNDER_WAY:
        _fail(refund, text)
    return refund


@service_transaction
def _mark_unknown(refund: Refund) -> Refund:
    refund = _lock(refund)
    if refund.status == RefundStatus.PENDING:
        _check_later(refund, RefundStatus.UNKNOWN, FIRST_CHECK)
    return refund


def _lock(refund: Refund) -> Refund:
    """The refund, read under the locks of its account and payment."""
    account = lock_account(refund.account_id)
    payment = lock_payment(account, refund.payment_id)
    locked = Refund.objects.select_related("credit_note", "requested_by").get(account=account, pk=refund.pk)
    locked.payment = payment
    return locked


def _book(refund: Refund, gateway_refund_id: str) -> None:
    payment = refund.payment
    credit_note = None
    left = payment.amount - payment.refunded_amount
    if refund.amount > left and not refund.is_return:
        # A dispute or a refund at the gateway came first, so a credit note would be wrong.
        refunded, what_was_left = (amount_text(amount, refund.currency) for amount in (refund.amount, left))
        flag_for_review(payment, f"Refund {gateway_refund_id} of {refunded} went back when {what_was_left} was left.")
    elif not refund.is_return:
        credit_note = book_refund(
            payment,
            refund.amount,
            reason=refund.reason,
            gateway_refund_id=gateway_refund_id,
            refunded_by=refund.requested_by,
        )
    transition(
        refund,
        RefundStatus.SUCCEEDED,
        REFUND_TRANSITIONS,
        gateway_refund_id=gateway_refund_id,
        credit_note=credit_note,
        next_check_at=None,
        finished_at=clock.now(),
    )
    if refund.is_return:
        events.record(payment_event("payment.returned", payment, returned=str(refund.amount)))
    events.record(_event("refund.succeeded", refund))


def _fail(refund: Refund, text: str, gateway_refund_id: str = "") -> None:
    if refund.status == RefundStatus.FAILED:
        return
    if refund.status == RefundStatus.SUCCEEDED:
        # The credit note stays, although the customer did not get the money.
        if not refund.payment.needs_review:
            flag_for_review(refund.payment, f"Refund {refund.gateway_refund_id} did not arrive: {text}")
        return
    transition(
        refund,
        RefundStatus.FAILED,
        REFUND_TRANSITIONS,
        failure_reason=text[:500],
        gateway_refund_id=gateway_refund_id or refund.gateway_refund_id,
        next_check_at=None,
        finished_at=clock.now(),
    )
    events.record(_event("refund.failed", refund, reason=text[:500]))
    if refund.is_return:
        flag_for_review(refund.payment, _("Money that bought nothing could not be returned: %(text)s") % {"text": text})


def _check_later(refund: Refund, status: RefundStatus, delay: timedelta, **changes: str) -> None:
    if refund.status != status:
        transition(refund, status, REFUND_TRANSITIONS, next_check_at=clock.now() + delay, checks=0, **changes)
        events.record(_event(f"refund.{status.value}", refund))


def _event(event_type: str, refund: Refund, **data: str) -> events.NewEvent:
    facts = {
        "payment_id": refund.payment_id,
        "invoice_number": refund.payment.invoice.invoice_number,
        "amount": str(refund.amount),
        "currency": refund.currency,
        **data,
    }
    return events.about(event_type, refund, refund.requested_by_id, facts)
