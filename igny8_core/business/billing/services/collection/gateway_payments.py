"""Pay through a gateway in three steps: commit the attempt, ask the gateway, then lock and record the answer.

While the gateway is asked, no lock is held and no transaction is open. The attempt stores everything that its request
is built from, so the same request can be repeated under the same idempotency key until there is an answer.
"""

import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.utils.translation import gettext as _

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
from igny8_core.common.marks import gettext_noop

logger = logging.getLogger(__name__)
NEVER_ARRIVED = gettext_noop("This payment never reached the payment service. Nothing was charged.")
CLOSED_UNPAID = gettext_noop(
    "This payment was closed unpaid. Nothing was charged. Start a new payment if the invoice is still open."
)


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
    """Collect an open invoice: at once with a saved `card` (the gateway's id), otherwise the customer completes it.

    An open attempt with the same options is resumed; any other open attempt is closed first. The same `request_key`
    always returns the same attempt. `off_session`: the customer is not present. `save_card`: keep the card for later.
    `return_url`: where the gateway sends the customer back to.
    Raises GatewayNotConfigured, PaymentMethodNotAvailable, InvoiceNotPayable, SavedMethodNotFound (the card is not the
    account's), BillingBoundReached, RequestKeyReused, what require_current_order raises,
    PaymentDeclined, AuthenticationRequired, GatewayUnavailable, GatewayMisconfigured. If another payment is under way:
    ConfirmationAlreadyOpen, PaymentBeingChecked, InvoicePaidMeanwhile, AttemptNotClosed. RuntimeError in a transaction.
    """
    require_no_transaction()
    required_offer_of(invoice, payment_method)
    charge_request = {"card": card, "off_session": off_session, "save_card": save_card, "return_url": return_url}
    repeated = find_by_request_key(request_key, invoice, payment_method)
    if repeated:
        return _refuse_failed(ask_gateway(repeated) if _is_under_way(repeated) else Attempt(repeated))
    if traits_of(payment_method).saves_cards:
        charge_request["customer"] = _checked_customer(invoice, card)
    require_current_order(invoice)
    earlier = open_attempt(invoice)
    if earlier and is_resumable(earlier, payment_method, charge_request):
        return _refuse_failed(ask_gateway(earlier))
    if earlier:
        close_open_attempt(earlier)
    payment = begin_attempt(invoice, payment_method, charge_request, started_by, request_key)
    return _refuse_failed(ask_gateway(payment, is_first=True))


def has_attempt(request_key: str) -> bool:
    """Whether a request with this key has already begun an attempt."""
    return bool(request_key) and Payment.objects.filter(request_key=request_key).exists()


def complete_payment(payment: Payment) -> Attempt:
    """Continue after the customer returns from the gateway: take approved money and record the outcome.

    Raises PaymentNotAtGateway, PaymentDeclined, AuthenticationRequired, GatewayUnavailable, GatewayMisconfigured,
    GatewayNotConfigured.
    """
    require_no_transaction()
    if payment.payment_method not in GATEWAY_METHODS:
        raise PaymentNotAtGateway()
    return _refuse_failed(ask_gateway(payment) if _is_under_way(payment) else Attempt(payment))


def ask_gateway(payment: Payment, *, is_first: bool = False) -> Attempt:
    """Send the attempt's request, or ask for its outcome, and record the answer. Safe to repeat at any time.

    `is_first`: no request was sent for this attempt before. Only the very first request proves that nothing was
    charged before, so the attempt fails if the gateway does not accept that one.
    Raises GatewayUnavailable or GatewayMisconfigured if the request cannot have charged anything.
    """
    require_no_transaction()
    if not payment.gateway_object_id and _is_too_old_to_repeat(payment):
        return _look_up(payment)
    gateway, object_id = gateway_of(payment.payment_method), payment.gateway_object_id
    if object_id:
        attempt = _ask_and_record(payment, lambda: gateway.fetch(object_id))
    else:
        attempt = _ask_and_record(
            payment, lambda: gateway.start(charge_order_of(payment)), asks_for_money=True, is_first=is_first
        )
    charge = attempt.charge
    if charge is None or charge.state != ChargeState.APPROVED or not _is_under_way(attempt.payment):
        return attempt
    complete = partial(gateway.complete, charge.object_id, str(payment.uuid))
    return _ask_and_record(attempt.payment, complete, asks_for_money=True)


def close_attempt(payment: Payment) -> Payment:
    """End an attempt at its gateway, so that it cannot take money later. Money that it already took is recorded.

    Some gateways cannot end attempts; there we simply never capture it. Returns the payment as it is now.
    Raises PaymentBeingChecked if the gateway has not decided, GatewayUnavailable.
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
        # Another request may be capturing the money at this moment, so it is checked once more later.
        return mark_abandoned(payment)
    return _nothing_left_to_close(payment)


def sync_payment(payment_method: str, object_id: str) -> Payment | None:
    """Ask a gateway for one of its objects and record its state; None if the object is not ours.

    Raises PaymentNotFound if the object names a payment that does not exist here (yet), GatewayUnavailable.
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
    """Close an attempt that the customer left open, so that the invoice can be changed or paid another way.

    Raises InvoicePaidMeanwhile if it turned out to be paid, PaymentBeingChecked if money may be on its way,
    AttemptNotClosed if its gateway cannot be reached. RuntimeError in a transaction.
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
    """Close the attempts that blocked an operation. Raises what close_open_attempt raises."""
    attempts = Payment.objects.select_related("account", "invoice").filter(pk__in=obstacle.payment_ids)
    for payment in list(attempts.order_by("pk")):
        close_open_attempt(payment)


def payment_of_charge(payment_method: str, charge: Charge) -> Payment | None:
    """The payment that a charge belongs to; None if the charge belongs to another product.

    Raises PaymentNotFound if the charge names a payment that does not exist here.
    """
    payments = Payment.objects.filter(payment_method=payment_method)
    known = payments.filter(gateway_object_id=charge.object_id).first() if charge.object_id else None
    if known or not _is_uuid(charge.reference):
        return known
    named = payments.filter(uuid=charge.reference).first()
    if named is None:
        raise PaymentNotFound(
            _("%(object_id)s names payment %(reference)s, which does not exist here.")
            % {"object_id": charge.object_id, "reference": charge.reference}
        )
    return named


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _is_under_way(payment: Payment) -> bool:
    return payment.status in GATEWAY_UNDER_WAY and not payment.needs_review


def _checked_customer(invoice: Invoice, card: str) -> str:
    """The account's customer at the gateway. The card must belong to them (docs/gateways.md section 5)."""
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


def _look_up(payment: Payment) -> Attempt:
    """Look for an attempt by its reference, when the gateway no longer remembers its idempotency key."""
    with gateway_refusals():
        charge = gateway_of(payment.payment_method).find(charge_order_of(payment), payment.created_at)
    if charge is None:
        return Attempt(mark_failed(payment, "never_arrived", NEVER_ARRIVED))
    return Attempt(_closed_if_failed(apply_charge(payment, charge)), charge)


def _ask_and_record(
    payment: Payment, question: Callable[[], Charge], *, asks_for_money: bool = False, is_first: bool = False
) -> Attempt:
    """Ask the gateway, and record the result: a charge, a refusal or no answer."""
    try:
        charge = question()
    except Declined as refusal:
        return Attempt(_record_refusal(payment, refusal), refusal.charge)
    except Unavailable as problem:
        return Attempt(_record_no_answer(payment, problem, asks_for_money=asks_for_money, is_first=is_first))
    except UnknownObject:
        return Attempt(mark_lost(payment))
    except Misconfigured as problem:
        logger.error("gateway misconfigured", extra={"payment": payment.pk, "code": problem.code})
        if is_first:
            mark_failed(payment, "gateway_misconfigured", GatewayMisconfigured.text, frees_key=True)
        raise GatewayMisconfigured() from problem
    return Attempt(_closed_if_failed(apply_charge(payment, charge)), charge)


def _record_refusal(payment: Payment, refusal: Declined) -> Payment:
    if refusal.charge:
        # The charge carries the ids that are needed to close what is still open at the gateway.
        payment = apply_charge(payment, refusal.charge)
    return _closed_if_failed(mark_failed(payment, refusal.code, refusal.text))


def _record_no_answer(payment: Payment, problem: Unavailable, *, asks_for_money: bool, is_first: bool) -> Payment:
    if asks_for_money and problem.may_have_happened:
        return mark_unknown(payment)
    if is_first:
        mark_failed(payment, "gateway_unavailable", GatewayUnavailable.text, frees_key=True)
    raise GatewayUnavailable(retry_after=problem.retry_after) from problem


def _closed_if_failed(payment: Payment) -> Payment:
    """Close a failed attempt that is still open at its gateway. If that fails, polling tries again."""
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


def _refuse_failed(attempt: Attempt) -> Attempt:
    """The attempt, if it has not failed. Raises PaymentDeclined, AuthenticationRequired."""
    payment = attempt.payment
    if payment.status not in {PaymentStatus.FAILED, PaymentStatus.CANCELED}:
        return attempt
    if payment.metadata.get("failure_code") == "authentication_required":
        raise AuthenticationRequired()
    closed = CLOSED_UNPAID if payment.status == PaymentStatus.CANCELED else None
    raise PaymentDeclined(payment.failure_reason or closed)
