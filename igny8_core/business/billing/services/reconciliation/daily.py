"""The daily comparison of the gateways' records with ours (docs/gateways.md section 9).

What a lost webhook message or a crash left behind is repaired by the same steps that webhooks and polling take. What
still differs then waits for an operator: nothing is guessed, and a comparison alone moves no money.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import PaymentNotFound
from igny8_core.business.billing.gateways import GATEWAYS, gateway_of, traits_of
from igny8_core.business.billing.gateways.protocol import Charge, ChargeState, UnknownObject
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    GATEWAY_UNDER_WAY,
    REFUNDS_UNDER_WAY,
    TO_ASK,
    CreditNote,
    Dispute,
    Payment,
    Refund,
    RefundStatus,
)
from igny8_core.business.billing.selectors import is_available
from igny8_core.business.billing.services.collection.gateway_payments import payment_of_charge, sync_payment
from igny8_core.business.billing.services.collection.outcomes import apply_charge
from igny8_core.business.billing.services.reconciliation.differences import Difference, noted, report
from igny8_core.business.billing.services.reconciliation.stripe_differences import (
    booked_for_a_subscription,
    differences_of_subscriptions,
)
from igny8_core.business.billing.services.refunds.disputes import sync_dispute
from igny8_core.business.billing.services.refunds.gateway_refunds import sync_refunds
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction
from igny8_core.common.money import amount_text

# The states at a gateway in which an attempt can no longer take money.
OVER = frozenset({ChargeState.CANCELED})


def reconcile(days: int = 3) -> list[Difference]:
    """Compare the payments of the last `days` days, and all that are still open, with the gateways' records.

    A difference that cannot be repaired flags its payment for review. Each difference is recorded as an event, once
    per day and object. May run at any time. RuntimeError in a transaction.
    """
    require_no_transaction()
    since = clock.now() - timedelta(days=days)
    found: list[Difference] = []
    for payment_method in filter(is_available, GATEWAYS):
        found += _of_gateway(payment_method, since)
    if any(traits_of(payment_method).bills_subscriptions for payment_method in filter(is_available, GATEWAYS)):
        found += differences_of_subscriptions()
    for difference in found:
        report(difference)
    return found


def _of_gateway(payment_method: str, since: datetime) -> list[Difference]:
    found: list[Difference] = []
    charges: list[Charge] = []
    with noted(found, payment_method, "the list of payments"), gateway_refusals():
        charges += gateway_of(payment_method).recent(since)
    for charge in charges:
        with noted(found, payment_method, charge.object_id):
            found += _of_charge(payment_method, charge)
    seen = {charge.object_id for charge in charges}
    for payment in _open_or_recent(payment_method, since):
        if payment.gateway_object_id not in seen:
            with noted(found, payment_method, payment.gateway_object_id):
                found += _of_payment(payment)
    return found + _of_disputes(payment_method, since)


def _open_or_recent(payment_method: str, since: datetime) -> QuerySet[Payment]:
    known = Payment.objects.filter(payment_method=payment_method).exclude(gateway_object_id="")
    wanted = known.filter(Q(status__in=GATEWAY_UNDER_WAY) | Q(created_at__gte=since))
    return wanted.select_related("account", "invoice").order_by("pk")


def _of_charge(payment_method: str, charge: Charge) -> list[Difference]:
    try:
        payment = payment_of_charge(payment_method, charge)
    except PaymentNotFound as problem:
        return [Difference(payment_method, charge.object_id, "missing_here", problem.text, _customer(charge))]
    return _compared(payment, charge) if payment else _of_unknown_charge(payment_method, charge)


def _of_unknown_charge(payment_method: str, charge: Charge) -> list[Difference]:
    """A charge that no payment here knows: a difference if one of our customers paid it, else another product's."""
    customer = _customer(charge)
    if customer is None or charge.state != ChargeState.SUCCEEDED:
        return []
    text = f"This customer paid {amount_text(charge.amount, charge.currency)} at the gateway; no payment here shows it."
    missing = Difference(payment_method, charge.object_id, "missing_here", text, customer)
    booked = booked_for_a_subscription(charge) if traits_of(payment_method).bills_subscriptions else None
    return [replace(missing, subject=booked or customer, is_healed=booked is not None)]


def _customer(charge: Charge) -> Account | None:
    accounts = Account.objects.filter(stripe_customer_id=charge.customer_id)
    return accounts.first() if charge.customer_id else None


def _of_payment(payment: Payment) -> list[Difference]:
    try:
        with gateway_refusals():
            charge = gateway_of(payment.payment_method).fetch(payment.gateway_object_id)
    except UnknownObject:
        text = f"The payment is {payment.status} here, but the gateway does not know it."
        return [Difference(payment.payment_method, payment.gateway_object_id, "missing_there", text, payment)]
    return _compared(payment, charge)


def _compared(payment: Payment, charge: Charge) -> list[Difference]:
    first = _differences(payment, charge)
    if not first:
        return []
    # Either side may have changed meanwhile, so both are read again and only what still differs counts.
    _heal(payment, charge)
    payment.refresh_from_db()
    with gateway_refusals():
        left = _differences(payment, gateway_of(payment.payment_method).fetch(charge.object_id))
    return [
        Difference(payment.payment_method, charge.object_id, kind, left.get(kind, text), payment, kind not in left)
        for kind, text in {**first, **left}.items()
    ]


def _heal(payment: Payment, charge: Charge) -> None:
    """Do what a webhook message about the object would do, and end an attempt whose payment is closed here."""
    healed = sync_payment(payment.payment_method, charge.object_id) or payment
    is_closed = healed.status not in {*CAPTURED_STATUSES, *GATEWAY_UNDER_WAY}
    with gateway_refusals():
        gateway = gateway_of(payment.payment_method)
        if is_closed and gateway.fetch(charge.object_id).state not in {*OVER, ChargeState.SUCCEEDED}:
            apply_charge(healed, gateway.cancel(charge.object_id))
    if healed.gateway_object_id:
        sync_refunds(healed)


def _differences(payment: Payment, charge: Charge) -> dict[str, str]:
    """What differs: a sentence for operators by kind of difference."""
    found = {}
    if charge.currency != payment.currency:
        found["currency"] = f"{payment.currency} here, {charge.currency} at the gateway."
    elif charge.amount != payment.amount:
        here, there = amount_text(payment.amount, payment.currency), amount_text(charge.amount, charge.currency)
        found["amount"] = f"{here} here, {there} at the gateway."
    if not _same_state(payment, charge):
        found["state"] = f"{payment.status} here, {charge.raw_status or charge.state.value} at the gateway."
    if not _same_refunds(payment, charge):
        refunded = amount_text(charge.refunded, charge.currency)
        found["refunds"] = f"{refunded} was refunded at the gateway; another amount is booked here."
    return found


def _same_state(payment: Payment, charge: Charge) -> bool:
    is_captured = payment.status in CAPTURED_STATUSES
    if charge.state == ChargeState.SUCCEEDED:
        return is_captured or _returns(payment).exists()
    if payment.status in GATEWAY_UNDER_WAY:
        is_refused = charge.state == ChargeState.DECLINED and payment.is_confirmed_by_us
        return charge.state not in OVER and not is_refused
    # Some gateways cannot end an attempt; there we simply never capture it.
    return not is_captured and (charge.state in OVER or not traits_of(payment.payment_method).can_end_attempts)


def _same_refunds(payment: Payment, charge: Charge) -> bool:
    # Money that a bank took in a dispute is a refund here, but not at every gateway.
    if charge.is_disputed:
        return True
    notes = CreditNote.objects.filter(account_id=payment.account_id, payment=payment).exclude(gateway_refund_id="")
    returned = _returns(payment).filter(status=RefundStatus.SUCCEEDED)
    under_way = Refund.objects.filter(account_id=payment.account_id, payment=payment, status__in=REFUNDS_UNDER_WAY)
    booked = _sum(notes) + _sum(returned)
    return booked <= charge.refunded <= booked + _sum(under_way)


def _returns(payment: Payment) -> QuerySet[Refund]:
    ordered = Refund.objects.filter(account_id=payment.account_id, payment=payment, is_return=True)
    return ordered.exclude(status=RefundStatus.FAILED)


def _sum(rows: QuerySet[Refund] | QuerySet[CreditNote]) -> Decimal:
    return rows.aggregate(total=Sum("amount"))["total"] or Decimal(0)


def _of_disputes(payment_method: str, since: datetime) -> list[Difference]:
    """Sync recent disputes and those that are open here; a change shows that a webhook message was lost."""
    found: list[Difference] = []
    known: list[str] = []
    with noted(found, payment_method, "the list of disputes"), gateway_refusals():
        known += gateway_of(payment_method).recent_disputes(since)
    to_ask = Dispute.objects.filter(TO_ASK, gateway=payment_method)
    known += to_ask.order_by("pk").values_list("gateway_dispute_id", flat=True)
    for dispute_id in dict.fromkeys(known):
        with noted(found, payment_method, dispute_id):
            found += _of_dispute(payment_method, dispute_id)
    return found


def _of_dispute(payment_method: str, dispute_id: str) -> list[Difference]:
    disputes = Dispute.objects.filter(gateway=payment_method, gateway_dispute_id=dispute_id)
    before = disputes.select_related("payment").first()
    try:
        after = sync_dispute(payment_method, dispute_id)
    except UnknownObject:
        if before is None:  # Another product's dispute, about a kind of payment that we do not use.
            return []
        text = f"The dispute is {before.status} here, but the gateway does not know it."
        return [Difference(payment_method, dispute_id, "missing_there", text, before.payment)]
    if after is None or (before and before.status == after.status):
        return []
    text = f"The dispute was {before.status if before else 'unknown'} here and is {after.status} at the gateway."
    return [Difference(payment_method, dispute_id, "dispute", text, after.payment, is_healed=True)]
