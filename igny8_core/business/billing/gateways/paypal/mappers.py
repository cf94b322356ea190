"""Map PayPal's JSON to the protocol's objects. Unknown keys are ignored, unknown statuses become UNKNOWN."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from igny8_core.business.billing.gateways.paypal.client import OBJECT_ID, Json, PayPalError, link
from igny8_core.business.billing.gateways.protocol import (
    Charge,
    ChargeState,
    DisputeState,
    GatewayDispute,
    GatewayRefund,
    RefundState,
)
from igny8_core.common.marks import gettext_noop

ORDER_STATES = {
    "CREATED": ChargeState.REQUIRES_ACTION,
    "SAVED": ChargeState.REQUIRES_ACTION,
    "PAYER_ACTION_REQUIRED": ChargeState.REQUIRES_ACTION,
    "APPROVED": ChargeState.APPROVED,
    "VOIDED": ChargeState.CANCELED,
}
CAPTURE_STATES = {
    "COMPLETED": ChargeState.SUCCEEDED,
    "PARTIALLY_REFUNDED": ChargeState.SUCCEEDED,
    "REFUNDED": ChargeState.SUCCEEDED,
    "PENDING": ChargeState.PROCESSING,
    "DECLINED": ChargeState.DECLINED,
    "FAILED": ChargeState.DECLINED,
}
REFUND_STATES = {
    "PENDING": RefundState.PENDING,
    "COMPLETED": RefundState.SUCCEEDED,
    "FAILED": RefundState.FAILED,
    "CANCELLED": RefundState.CANCELED,
}
DISPUTE_STATES = {
    **dict.fromkeys(("RESOLVED_BUYER_FAVOUR", "ACCEPTED"), DisputeState.LOST),
    **dict.fromkeys(("RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "DENIED"), DisputeState.WON),
    # Ended without a decision: withdrawn, or continued as another dispute of the same payment.
    **dict.fromkeys(("CANCELED_BY_BUYER", "NONE"), DisputeState.CLOSED),
}

MONEY = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,4})?", re.ASCII)
EVENT_ID = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
UP_LINK = re.compile(r"/v2/(?:checkout|payments)/(orders|captures|authorizations)/([A-Z0-9-]{5,36})", re.ASCII)
NOT_PAID = gettext_noop("PayPal could not take this payment. Try again, or choose another payment method.")


def charge_of_order(order: Json, *, live: bool) -> Charge:
    """Map an order. Its status COMPLETED says nothing about the money; its capture does.

    Raises PayPalError if the order cannot be read.
    """
    unit = first(order.get("purchase_units"))
    payments = part(unit.get("payments"))
    capture = _capture_that_counts(order, payments)
    status = text(order.get("status"))
    if capture is not None:
        refunds = [_read_refund(refund) for refund in parts(payments.get("refunds"))]
        return _charge(capture, unit, refunds, object_id=text(order.get("id")), live=live)
    amount, currency = _money(unit.get("amount"))
    return Charge(
        object_id=text(order.get("id")),
        state=ORDER_STATES.get(status, ChargeState.UNKNOWN),
        amount=amount,
        currency=currency,
        reference=text(unit.get("custom_id")),
        live=live,
        approve_url=link(order, "payer-action", "approve"),
        raw_status=status,
        created_at=moment(order.get("create_time")),
    )


def charge_of_capture(capture: Json, *, live: bool) -> Charge:
    """Map a capture without its order: `object_id` is empty, and partial refunds are not known.

    Raises PayPalError if the capture cannot be read.
    """
    return _charge(capture, {}, [], object_id="", live=live)


def order_of_capture(capture: Json) -> str:
    """The id of a capture's order; empty if it is not named, or if the capture belongs to an authorization."""
    named = text(related_ids(capture).get("order_id"))
    return named or made_of(capture, "orders")


def read_refund(refund: Json, *, object_id: str = "") -> GatewayRefund:
    """Map a refund. Raises PayPalError if it cannot be read."""
    return _read_refund(refund, object_id or text(related_ids(refund).get("order_id")))


def read_refunds(order: Json) -> list[GatewayRefund]:
    """Map all refunds of an order. Raises PayPalError if one cannot be read."""
    payments = part(first(order.get("purchase_units")).get("payments"))
    return [_read_refund(refund, text(order.get("id"))) for refund in parts(payments.get("refunds"))]


def read_dispute_ids(answer: Json) -> list[str]:
    """The dispute ids in a page of the list; an empty id for an entry without one."""
    return [checked(dispute.get("dispute_id")) for dispute in parts(answer.get("items"))]


def read_dispute(dispute: Json) -> GatewayDispute:
    """Map a dispute. An unknown outcome counts as open.

    Raises PayPalError if the dispute cannot be read.
    """
    amount, currency = _money(dispute.get("dispute_amount"))
    is_over = dispute.get("status") == "RESOLVED"
    outcome = text(part(dispute.get("dispute_outcome")).get("outcome_code")) if is_over else ""
    return GatewayDispute(
        dispute_id=text(dispute.get("dispute_id")),
        state=DISPUTE_STATES.get(outcome, DisputeState.OPEN),
        amount=amount,
        currency=currency,
        reason=text(dispute.get("reason")),
        capture_id=text(first(dispute.get("disputed_transactions")).get("seller_transaction_id")),
        outcome=outcome,
        created_at=moment(dispute.get("create_time")),
    )


def _capture_that_counts(order: Json, payments: Json) -> Json | None:
    """The capture that decides the order's state: one that took money, else a pending one, else a refused one.

    While the order is open, a refused capture does not count, because the payer may choose another way to pay.
    """
    captures = parts(payments.get("captures"))
    for state in (ChargeState.SUCCEEDED, ChargeState.PROCESSING):
        for capture in captures:
            if CAPTURE_STATES.get(text(capture.get("status"))) == state:
                return capture
    return captures[0] if captures and order.get("status") == "COMPLETED" else None


def _charge(capture: Json, unit: Json, refunds: list[GatewayRefund], *, object_id: str, live: bool) -> Charge:
    amount, currency = _money(capture.get("amount"))
    capture_id, status = text(capture.get("id")), text(capture.get("status"))
    state = CAPTURE_STATES.get(status, ChargeState.UNKNOWN)
    reason = text(part(capture.get("status_details")).get("reason"))
    is_refused = state == ChargeState.DECLINED
    return Charge(
        object_id=object_id,
        state=state,
        amount=amount,
        currency=currency,
        reference=text(capture.get("custom_id")) or text(unit.get("custom_id")),
        live=live,
        capture_id=capture_id,
        refunded=_refunded(refunds, capture_id, amount if status == "REFUNDED" else Decimal(0)),
        failure_code=(reason or status) if is_refused else "",
        failure_text=NOT_PAID if is_refused else "",
        raw_status=f"{status} {reason}".strip(),
        created_at=moment(capture.get("create_time")),
    )


def _refunded(refunds: list[GatewayRefund], capture_id: str, at_least: Decimal) -> Decimal:
    went_back = (
        refund.amount
        for refund in refunds
        if refund.state == RefundState.SUCCEEDED and refund.capture_id in {"", capture_id}
    )
    return max(sum(went_back, Decimal(0)), at_least)


def _read_refund(refund: Json, object_id: str = "") -> GatewayRefund:
    amount, currency = _money(refund.get("amount"))
    status = text(refund.get("status"))
    state = REFUND_STATES.get(status, RefundState.PENDING)
    failed = state in {RefundState.FAILED, RefundState.CANCELED}
    return GatewayRefund(
        refund_id=text(refund.get("id")),
        state=state,
        amount=abs(amount),
        currency=currency,
        reference=text(refund.get("custom_id")),
        capture_id=made_of(refund, "captures"),
        object_id=object_id,
        failure_code=(text(part(refund.get("status_details")).get("reason")) or status) if failed else "",
        created_at=moment(refund.get("create_time")),
    )


def made_of(resource: Json, kind: str) -> str:
    """The id of the object that a capture or refund came from, if it is of this kind; else empty."""
    found = UP_LINK.search(link(resource, "up"))
    return found[2] if found and found[1] == kind else ""


def related_ids(resource: Json) -> Json:
    return part(part(resource.get("supplementary_data")).get("related_ids"))


def _money(value: object) -> tuple[Decimal, str]:
    money = part(value)
    amount, currency = money.get("value"), money.get("currency_code")
    if not isinstance(amount, str) or not MONEY.fullmatch(amount) or not isinstance(currency, str):
        raise PayPalError(200, "UNREADABLE_AMOUNT", may_have_happened=True)
    return Decimal(amount), currency


def moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def checked(value: object) -> str:
    return value if isinstance(value, str) and OBJECT_ID.fullmatch(value) else ""


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def part(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def parts(value: Any) -> list[Json]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def first(value: Any) -> Json:
    return next(iter(parts(value)), {})
