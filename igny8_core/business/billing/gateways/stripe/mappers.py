"""Map Stripe's objects (plain dicts) to the protocol's, in the API version that we pin and in older ones.

A webhook message has the API version of its endpoint or account, not ours. So every mapper looks for a value in its new
place first and then in the old one, and copes with unknown statuses.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from igny8_core.business.billing.gateways.protocol import (
    Card,
    CardSetup,
    Charge,
    ChargeState,
    DisputeState,
    GatewayDispute,
    GatewayRefund,
    RefundState,
)
from igny8_core.business.billing.gateways.stripe.declines import decline_code, decline_sentence
from igny8_core.business.billing.gateways.stripe.mirrored import MirroredInvoice, MirroredSubscription
from igny8_core.business.billing.gateways.stripe.money import from_stripe

Object = Mapping[str, Any]

CHARGE_STATES = {
    "requires_payment_method": ChargeState.AWAITING_CUSTOMER,
    "requires_confirmation": ChargeState.AWAITING_CUSTOMER,
    "requires_action": ChargeState.REQUIRES_ACTION,
    "processing": ChargeState.PROCESSING,
    "requires_capture": ChargeState.PROCESSING,
    "succeeded": ChargeState.SUCCEEDED,
    "canceled": ChargeState.CANCELED,
}
TAKEN = frozenset({ChargeState.SUCCEEDED, ChargeState.PROCESSING})
REFUND_STATES = {state.value: state for state in RefundState}
DISPUTE_STATES = {
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
    "warning_closed": DisputeState.CLOSED,
    # Settled before it became a dispute. A refund that settled it is a refund of its own.
    "prevented": DisputeState.CLOSED,
}


def id_of(value: object) -> str:
    """The id of a reference, which may be an id, an expanded object or null (then empty)."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def rows_of(value: object) -> list[Object]:
    """The objects of a list object or a plain list; empty for anything else."""
    rows = value.get("data") if isinstance(value, Mapping) else value
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def part_of(value: object, *names: str) -> Object:
    """The object at the end of a path; an empty one if the path ends early or at a plain id."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def moment(timestamp: object) -> datetime | None:
    """Seconds since 1970 as an aware datetime; None for null."""
    return datetime.fromtimestamp(timestamp, UTC) if isinstance(timestamp, int) else None


def charge_of(intent: Object) -> Charge:
    """Map a PaymentIntent. Refunds and disputes are known if its latest charge is expanded."""
    state = CHARGE_STATES.get(str(intent["status"]), ChargeState.UNKNOWN)
    error = part_of(intent, "last_payment_error")
    if error and intent["status"] == "requires_payment_method":
        state = ChargeState.DECLINED
    code = decline_code(error) if error and state not in TAKEN else ""
    currency = str(intent["currency"]).upper()
    latest = _latest_charge(intent)
    return Charge(
        object_id=str(intent["id"]),
        state=state,
        amount=from_stripe(intent["amount_received" if state is ChargeState.SUCCEEDED else "amount"], currency),
        currency=currency,
        reference=str(part_of(intent, "metadata").get("payment_id", "")),
        live=bool(intent["livemode"]),
        capture_id=id_of(latest) if state in TAKEN else "",
        customer_id=id_of(intent.get("customer")),
        payment_method_id=id_of(intent.get("payment_method")) or id_of(error.get("payment_method")),
        refunded=from_stripe(part_of(latest).get("amount_refunded", 0), currency),
        is_disputed=bool(part_of(latest).get("disputed")),
        client_secret=str(intent.get("client_secret") or ""),
        failure_code=code,
        failure_text=decline_sentence(code) if code else "",
        raw_status=str(intent["status"]),
        created_at=moment(intent.get("created")),
    )


def _latest_charge(intent: Object) -> object:
    """The latest Charge or its id. Versions before 2022-11-15 list all of them, newest first."""
    return intent.get("latest_charge") or next(iter(rows_of(intent.get("charges"))), None)


def refund_of(refund: Object) -> GatewayRefund:
    """Map a Refund. A null or unknown status counts as pending."""
    return GatewayRefund(
        refund_id=str(refund["id"]),
        state=REFUND_STATES.get(str(refund.get("status")), RefundState.PENDING),
        amount=from_stripe(refund["amount"], refund["currency"]),
        currency=str(refund["currency"]).upper(),
        reference=str(part_of(refund, "metadata").get("refund_id", "")),
        capture_id=id_of(refund.get("charge")),
        object_id=id_of(refund.get("payment_intent")),
        failure_code=str(refund.get("failure_reason") or ""),
        created_at=moment(refund.get("created")),
    )


def dispute_of(dispute: Object) -> GatewayDispute:
    """Map a Dispute. It is open until Stripe calls it won or lost. A closed inquiry cost nothing."""
    status = str(dispute.get("status"))
    return GatewayDispute(
        dispute_id=str(dispute["id"]),
        state=DISPUTE_STATES.get(status, DisputeState.OPEN),
        amount=from_stripe(dispute["amount"], dispute["currency"]),
        currency=str(dispute["currency"]).upper(),
        reason=str(dispute.get("reason") or ""),
        object_id=id_of(dispute.get("payment_intent")),
        capture_id=id_of(dispute.get("charge")),
        outcome=status if status in DISPUTE_STATES else "",
        created_at=moment(dispute.get("created")),
    )


def card_of(method: Object) -> Card:
    """Map a PaymentMethod of the type card."""
    card = part_of(method, "card")
    return Card(
        payment_method_id=str(method["id"]),
        customer_id=id_of(method.get("customer")),
        brand=str(card.get("brand") or ""),
        last4=str(card.get("last4") or ""),
        exp_month=card.get("exp_month"),
        exp_year=card.get("exp_year"),
    )


def card_setup_of(setup: Object) -> CardSetup:
    """A SetupIntent."""
    return CardSetup(
        setup_id=str(setup["id"]),
        customer_id=id_of(setup.get("customer")),
        client_secret=str(setup.get("client_secret") or ""),
        is_complete=setup["status"] == "succeeded",
        payment_method_id=id_of(setup.get("payment_method")),
    )


def subscription_of(subscription: Object) -> MirroredSubscription:
    """Map a Subscription. Its period is the one that all its items share."""
    items = rows_of(subscription.get("items"))
    item: Object = items[0] if items else {}
    starts = _timestamps(items, "current_period_start") or _timestamps([subscription], "current_period_start")
    ends = _timestamps(items, "current_period_end") or _timestamps([subscription], "current_period_end")
    cancels = bool(subscription.get("cancel_at_period_end")) or subscription.get("cancel_at") is not None
    return MirroredSubscription(
        subscription_id=str(subscription["id"]),
        customer_id=id_of(subscription.get("customer")),
        status=str(subscription["status"]),
        price_id=id_of(item.get("price")) or id_of(item.get("plan")) or id_of(subscription.get("plan")),
        live=bool(subscription["livemode"]),
        metadata=dict(part_of(subscription, "metadata")),
        period_start=moment(max(starts, default=None)),
        period_end=moment(min(ends, default=None)),
        is_cancel_scheduled=cancels and subscription.get("ended_at") is None,
        canceled_at=moment(subscription.get("canceled_at")),
        ended_at=moment(subscription.get("ended_at")),
    )


def subscription_id_of_invoice(invoice: Object) -> str:
    """The id of the subscription that an Invoice is for; empty if it is for none."""
    return id_of(part_of(invoice, "parent", "subscription_details").get("subscription")) or id_of(
        invoice.get("subscription")
    )


def paid_with(payments: Iterable[Object]) -> tuple[str, str]:
    """The ids of PaymentIntent and Charge in an invoice's payments, a paid one first; empty if there is none."""
    ordered = sorted(payments, key=lambda payment: (payment.get("status") != "paid", not payment.get("is_default")))
    for payment in ordered:
        details = part_of(payment, "payment")
        intent_id, charge_id = id_of(details.get("payment_intent")), id_of(details.get("charge"))
        if intent_id or charge_id:
            return intent_id, charge_id
    return "", ""


def invoice_of(invoice: Object) -> MirroredInvoice:
    """Map an Invoice. Since 2025 webhook messages do not include its payments; then the payment's ids are empty."""
    currency = str(invoice["currency"]).upper()
    intent_id, charge_id = paid_with(rows_of(invoice.get("payments")))
    lines = _own_lines(invoice)
    return MirroredInvoice(
        invoice_id=str(invoice["id"]),
        subscription_id=subscription_id_of_invoice(invoice),
        customer_id=id_of(invoice.get("customer")),
        status=str(invoice.get("status") or ""),
        amount_paid=_amount(invoice, "amount_paid", currency),
        amount_due=_amount(invoice, "amount_due", currency),
        currency=currency,
        live=bool(invoice["livemode"]),
        payment_intent_id=intent_id or id_of(invoice.get("payment_intent")),
        charge_id=charge_id or id_of(invoice.get("charge")),
        description=str(invoice.get("description") or next((line.get("description") or "" for line in lines), "")),
        # The invoice's own period says when usage was measured, not which period is paid for.
        period_start=moment(min(_timestamps([part_of(line, "period") for line in lines], "start"), default=None)),
        period_end=moment(max(_timestamps([part_of(line, "period") for line in lines], "end"), default=None)),
    )


def _amount(invoice: Object, name: str, currency: str) -> Decimal:
    return from_stripe(invoice.get(name) or 0, currency)


def _own_lines(invoice: Object) -> list[Object]:
    """The lines for the period itself: all except prorations, or all lines if there are just prorations."""
    lines = rows_of(invoice.get("lines"))
    return [line for line in lines if not _is_proration(line)] or lines


def _is_proration(line: Object) -> bool:
    parent = part_of(line, "parent")
    details = (part_of(parent, "subscription_item_details"), part_of(parent, "invoice_item_details"))
    return any(detail.get("proration") for detail in details) or bool(line.get("proration"))


def _timestamps(rows: Iterable[Object], name: str) -> list[int]:
    return [row[name] for row in rows if row.get(name)]
