"""Paying through a gateway in three steps: commit the attempt, ask the gateway, lock and record what it says.

No lock is held and no transaction is open while a gateway is asked. An attempt carries all that its request is made of,
so that the same request can be sent again under the same key until there is an answer.
"""

import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import (
    AttemptNotClosed,
    AttemptOpen,
    AuthenticationRequired,
    GatewayMisconfigured,
    GatewayNotConfigured,
    GatewayUnavailable,
    InvoicePaidMeanwhile,
    PaymentBeingChecked,
    PaymentDeclined,
    PaymentNotAtGateway,
    PaymentNotFound,
    SavedMethodNotFound,
)
from igny8_core.business.billing.gateways import card_gateway, gateway_of, traits_of
from igny8_core.business.billing.gateways.protocol import (
    Charge,
    ChargeState,
    Declined,
    Misconfigured,
    Unavailable,
    UnknownObject,
)
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    GATEWAY_METHODS,
    GATEWAY_UNDER_WAY,
    Invoice,
    Payment,
    PaymentStatus,
)
from igny8_core.business.billing.services.collection.attempts import (
    Attempt,
    begin_attempt,
    charge_order_of,
    find_by_request_key,
    is_resumable,
    open_attempt,
)
from igny8_core.business.billing.services.collection.outcomes import (
    apply_charge,
    mark_abandoned,
    mark_failed,
    mark_lost,
    mark_unknown,
)
from igny8_core.business.billing.services.payment_methods.availability import required_offer_of
from igny8_core.business.billing.services.payment_methods.gateway_customers import customer_of
from igny8_core.business.billing.services.payment_states.under_way import is_open
from igny8_core.business.billing.services.subscriptions.plan_change import require_current_order
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction

logger = logging.getLogger(__name__)
NEVER_ARRIVED = "The payment service never got this payment. Nothing was charged."
GIVEN_UP = "This payment was given up before it was paid. Nothing was charged. What is still due can be paid anew."


def pay_through_gateway(
    invoice: Invoice,
    payment_method: str,
    *,
    card: str = "",
    off_session: bool = False,
    save_card: bool = False,
    return_url: str = "",
    started_by: User | None = None,
    request_key: str = "",
) -> Attempt:
    """Collect an open invoice: at once with a saved `card` (its gateway's id), else the customer completes it.

    An attempt of the same kind that the customer has left open goes on; one of another kind is closed first. The
    same `request_key` always means the same attempt.
    Raises GatewayNotConfigured, PaymentMethodNotAvailable, InvoiceNotPayable, SavedMethodNotFound for a card that
    is not the account's, ConfirmationAlreadyOpen, PaymentBeingChecked, InvoicePaidMeanwhile and AttemptNotClosed
    where another attempt is open, PlanChangeOutdated, PlanChangePeriodOver,
    BillingBoundReached, RequestKeyReused, PaymentDeclined, AuthenticationRequired, GatewayUnavailable,
    GatewayMisconfigured. RuntimeError in a transaction.
    """
    require_no_transaction()
    required_offer_of(invoice, payment_method)
    charge_request = {"card": card, "off_session": off_session, "save_card": save_card, "return_url": return_url}
    repeated = find_by_request_key(request_key, invoice, payment_method)
    if repeated:
        return _outcome(ask_gateway(repeated) if _is_under_way(repeated) else Attempt(repeated))
    if traits_of(payment_method).saves_cards:
        charge_request["customer"] = _checked_customer(invoice, card)
    require_current_order(invoice)
    earlier = open_attempt(invoice)
    if earlier and is_resumable(earlier, payment_method, charge_request):
        return _outcome(ask_gateway(earlier))
    if earlier:
        close_open_attempt(earlier)
    payment = begin_attempt(invoice, payment_method, charge_request, started_by, request_key)
    return _outcome(ask_gateway(payment, is_first=True))


def has_begun(request_key: str) -> bool:
    """Whether a request with this key has begun an attempt."""
    return bool(request_key) and Payment.objects.filter(request_key=request_key).exists()


def complete_payment(payment: Payment) -> Attempt:
    """Go on after the customer has been at the gateway: take what was approved, record what became of it.

    Raises PaymentNotAtGateway, PaymentDeclined, AuthenticationRequired, GatewayUnavailable, GatewayMisconfigured,
    GatewayNotConfigured.
    """
    require_no_transaction()
    if payment.payment_method not in GATEWAY_METHODS:
        raise PaymentNotAtGateway()
    return _outcome(ask_gateway(payment) if _is_under_way(payment) else Attempt(payment))


def ask_gateway(payment: Payment, *, is_first: bool = False) -> Attempt:
    """Send the attempt's request, or ask what became of it, and record the answer; safe to do again at any time.

    Only of the first request is known that none before it can have charged: where that one was not taken, the
    attempt has failed.
    Raises GatewayUnavailable and GatewayMisconfigured where nothing was asked for that could have been charged.
    """
    require_no_transaction()
    if not payment.gateway_object_id and _is_too_old_to_repeat(payment):
        return _search(payment)
    gateway, object_id = gateway_of(payment.payment_method), payment.gateway_object_id
    if object_id:
        attempt = _answered(payment, lambda: gateway.fetch(object_id))
    else:
        attempt = _answered(
            payment, lambda: gateway.start(charge_order_of(payment)), asks_for_money=True, is_first=is_first
        )
    charge = attempt.charge
    if charge is None or charge.state != ChargeState.APPROVED or not _is_under_way(attempt.payment):
        return attempt
    complete = partial(gateway.complete, charge.object_id, str(payment.uuid))
    return _answered(attempt.payment, complete, asks_for_money=True)


def close_attempt(payment: Payment) -> Payment:
    """End an attempt at its gateway, so that it cannot take money later; money that it has taken is recorded.

    Where it has no end there, it is only never captured. Raises PaymentBeingChecked where the gateway has not
    decided, GatewayUnavailable.
    """
    require_no_transaction()
    if not payment.gateway_object_id:
        payment = ask_gateway(payment).payment
        if not payment.gateway_object_id:
            return payment
    try:
        with gateway_refusals():
            charge = gateway_of(payment.payment_method).cancel(payment.gateway_object_id)
    except UnknownObject:
        return _nothing_left_to_close(mark_lost(payment))
    payment = apply_charge(payment, charge)
    if charge.state == ChargeState.PROCESSING:
        raise PaymentBeingChecked()
    if payment.status in GATEWAY_UNDER_WAY and not traits_of(payment.payment_method).can_end_attempts:
        # Somebody can be taking its money at this moment: it is looked at once more.
        return mark_abandoned(payment)
    return _nothing_left_to_close(payment)


def sync_payment(payment_method: str, object_id: str) -> Payment | None:
    """Ask a gateway for one of its objects and record it; None where it is none of ours.

    Raises PaymentNotFound where it names a payment that is not here (yet), GatewayUnavailable.
    """
    require_no_transaction()
    try:
        with gateway_refusals():
            charge = gateway_of(payment_method).fetch(object_id)
    except UnknownObject:
        return None
    payment = payment_of_charge(payment_method, charge)
    if payment is None:
        return None
    if charge.state == ChargeState.APPROVED and payment.status in GATEWAY_UNDER_WAY:
        return ask_gateway(payment).payment
    return _closed_if_failed(apply_charge(payment, charge))


def close_open_attempt(payment: Payment) -> None:
    """Close an attempt that its customer has left open, so that something else can be done about its invoice.

    Raises InvoicePaidMeanwhile where it was paid in the end, PaymentBeingChecked where money may be on its way,
    AttemptNotClosed where its gateway cannot be asked. RuntimeError in a transaction.
    """
    try:
        payment = close_attempt(payment) if is_open(payment) else payment
    except (GatewayUnavailable, GatewayMisconfigured, GatewayNotConfigured) as refusal:
        raise AttemptNotClosed(retry_after=refusal.retry_after) from refusal
    if payment.status in CAPTURED_STATUSES:
        raise InvoicePaidMeanwhile()
    if payment.status in GATEWAY_UNDER_WAY:
        raise PaymentBeingChecked()


def clear_attempts(obstacle: AttemptOpen) -> None:
    """Close the attempts that were in an operation's way. Raises as close_open_attempt."""
    attempts = Payment.objects.select_related("account", "invoice").filter(pk__in=obstacle.payment_ids)
    for payment in list(attempts.order_by("pk")):
        close_open_attempt(payment)


def payment_of_charge(payment_method: str, charge: Charge) -> Payment | None:
    """The payment that a charge belongs to; None for one of another product. Raises PaymentNotFound."""
    payments = Payment.objects.filter(payment_method=payment_method)
    known = payments.filter(gateway_object_id=charge.object_id).first() if charge.object_id else None
    if known or not _is_uuid(charge.reference):
        return known
    named = payments.filter(uuid=charge.reference).first()
    if named is None:
        raise PaymentNotFound(f"{charge.object_id} names the payment {charge.reference}, which is not here.")
    return named


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _is_under_way(payment: Payment) -> bool:
    return payment.status in GATEWAY_UNDER_WAY and not payment.needs_review


def _checked_customer(invoice: Invoice, card: str) -> str:
    """The account's customer at the gateway, whose the card must be (docs/gateways.md section 5)."""
    try:
        with gateway_refusals():
            customer = customer_of(invoice.account)
            if card and not card_gateway().is_card_of(card, customer):
                raise SavedMethodNotFound()
    except UnknownObject:
        raise SavedMethodNotFound() from None
    return customer


def _is_too_old_to_repeat(payment: Payment) -> bool:
    return clock.now() - payment.created_at > traits_of(payment.payment_method).repeatable_for


def _search(payment: Payment) -> Attempt:
    """An attempt whose answer was lost so long ago that its key is forgotten: look for it by what it carries."""
    with gateway_refusals():
        charge = gateway_of(payment.payment_method).find(charge_order_of(payment), payment.created_at)
    if charge is None:
        return Attempt(mark_failed(payment, "never_arrived", NEVER_ARRIVED))
    return Attempt(_closed_if_failed(apply_charge(payment, charge)), charge)


def _answered(
    payment: Payment, question: Callable[[], Charge], *, asks_for_money: bool = False, is_first: bool = False
) -> Attempt:
    """Ask the gateway, and record whatever it says: a charge, a refusal, nothing."""
    try:
        charge = question()
    except Declined as refusal:
        return Attempt(_refused(payment, refusal), refusal.charge)
    except Unavailable as problem:
        return Attempt(_unanswered(payment, problem, asks_for_money=asks_for_money, is_first=is_first))
    except UnknownObject:
        return Attempt(mark_lost(payment))
    except Misconfigured as problem:
        logger.error("gateway misconfigured", extra={"payment": payment.pk, "code": problem.code})
        if is_first:
            mark_failed(payment, "gateway_misconfigured", GatewayMisconfigured.text, frees_key=True)
        raise GatewayMisconfigured() from problem
    return Attempt(_closed_if_failed(apply_charge(payment, charge)), charge)


def _refused(payment: Payment, refusal: Declined) -> Payment:
    if refusal.charge:
        # With it come the ids: what stands open at the gateway must be closed there.
        payment = apply_charge(payment, refusal.charge)
    return _closed_if_failed(mark_failed(payment, refusal.code, refusal.text))


def _unanswered(payment: Payment, problem: Unavailable, *, asks_for_money: bool, is_first: bool) -> Payment:
    if asks_for_money and problem.may_have_happened:
        return mark_unknown(payment)
    if is_first:
        mark_failed(payment, "gateway_unavailable", GatewayUnavailable.text, frees_key=True)
    raise GatewayUnavailable(retry_after=problem.retry_after) from problem


def _closed_if_failed(payment: Payment) -> Payment:
    """Close at its gateway what failed here and stays open there; what cannot be closed now, the checks try again."""
    is_over = payment.status in {PaymentStatus.FAILED, PaymentStatus.CANCELED}
    if payment.next_check_at and is_over and traits_of(payment.payment_method).stays_open_after_failure:
        try:
            return close_attempt(payment)
        except (GatewayUnavailable, GatewayMisconfigured, PaymentBeingChecked):
            logger.warning("a failed attempt is still open at its gateway", extra={"payment": payment.pk})
    return payment


def _nothing_left_to_close(payment: Payment) -> Payment:
    closed = Payment.objects.filter(pk=payment.pk, status__in=[PaymentStatus.FAILED, PaymentStatus.CANCELED])
    if closed.update(next_check_at=None):
        payment.next_check_at = None
    return payment


def _outcome(attempt: Attempt) -> Attempt:
    """The attempt, where it goes on or has succeeded. Raises PaymentDeclined, AuthenticationRequired."""
    payment = attempt.payment
    if payment.status not in {PaymentStatus.FAILED, PaymentStatus.CANCELED}:
        return attempt
    if payment.metadata.get("failure_code") == "authentication_required":
        raise AuthenticationRequired()
    given_up = GIVEN_UP if payment.status == PaymentStatus.CANCELED else None
    raise PaymentDeclined(payment.failure_reason or given_up)
