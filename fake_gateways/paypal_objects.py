"""Orders, captures, refunds and disputes of the stand-in for PayPal, and their JSON."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from fake_gateways.paypal_checks import Json, check_amount, money

TAKEN = frozenset({"COMPLETED", "PENDING", "PARTIALLY_REFUNDED", "REFUNDED"})
LETTERS = "0123456789ABCDEFGHJKLMNPRSTUVWXY"


def new_id() -> str:
    """An id of 17 letters and digits, like those of PayPal."""
    return "".join(secrets.choice(LETTERS) for _ in range(17))


def written(moment: float) -> str:
    """A time as PayPal writes it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _link(address: str, path: str, rel: str, method: str = "GET") -> Json:
    return {"href": f"{address}{path}", "rel": rel, "method": method}


@dataclass
class Refund:
    """Money of a capture that was given back. `custom_id` is empty if PayPal or the dashboard made the refund."""

    capture: "Capture"
    amount: Decimal
    custom_id: str = ""
    invoice_id: str = ""
    status: str = "COMPLETED"
    id: str = field(default_factory=new_id)
    created_at: float = field(default_factory=lambda: time.time())

    def as_json(self, address: str) -> Json:
        """The JSON of a refund in an order, an answer or an event."""
        total = money(self.capture.refunded, self.capture.currency)
        names = {key: value for key in ("custom_id", "invoice_id") if (value := getattr(self, key))}
        return {
            "id": self.id,
            "status": self.status,
            "amount": money(self.amount, self.capture.currency),
            **names,
            "seller_payable_breakdown": {"total_refunded_amount": total},
            "create_time": written(self.created_at),
            "links": [
                _link(address, f"/v2/payments/refunds/{self.id}", "self"),
                _link(address, f"/v2/payments/captures/{self.capture.id}", "up"),
            ],
        }


@dataclass
class Capture:
    """One attempt to take the money of an order."""

    order: "Order"
    status: str
    reason: str = ""
    refunds: list[Refund] = field(default_factory=list)
    id: str = field(default_factory=new_id)
    created_at: float = field(default_factory=lambda: time.time())

    @property
    def amount(self) -> Decimal:
        """The amount of the order."""
        return self.order.amount

    @property
    def currency(self) -> str:
        """The currency of the order."""
        return self.order.currency

    @property
    def refunded(self) -> Decimal:
        """The sum of its completed refunds."""
        return sum((refund.amount for refund in self.refunds if refund.status == "COMPLETED"), Decimal(0))

    @property
    def left(self) -> Decimal:
        """The amount that can still be refunded. Pending refunds are counted as gone."""
        gone = (refund.amount for refund in self.refunds if refund.status in {"COMPLETED", "PENDING"})
        return self.amount - sum(gone, Decimal(0))

    def follow_refunds(self) -> None:
        """Set the status to match the completed refunds."""
        if self.status in {"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"}:
            part = "PARTIALLY_REFUNDED" if self.refunded else "COMPLETED"
            self.status = "REFUNDED" if self.refunded == self.amount else part

    def as_json(self, address: str, *, alone: bool = True) -> Json:
        """The JSON in an answer or an event. With `alone=False`: as part of its order, without the order's id."""
        fee = Decimal(0) if self.currency in {"JPY", "HUF", "TWD"} else Decimal("0.49")
        body: Json = {
            "id": self.id,
            "status": self.status,
            "amount": money(self.amount, self.currency),
            "final_capture": True,
            **self.order.names,
            "seller_receivable_breakdown": {
                "gross_amount": money(self.amount, self.currency),
                "paypal_fee": money(fee, self.currency),
                "net_amount": money(self.amount - fee, self.currency),
            },
            "create_time": written(self.created_at),
            "links": [
                _link(address, f"/v2/payments/captures/{self.id}", "self"),
                _link(address, f"/v2/payments/captures/{self.id}/refund", "refund", "POST"),
                _link(address, f"/v2/checkout/orders/{self.order.id}", "up"),
            ],
        }
        if self.reason:
            body["status_details"] = {"reason": self.reason}
        if alone:
            body["supplementary_data"] = {"related_ids": {"order_id": self.order.id}}
        return body


@dataclass
class Order:
    """One purchase. `asked` is the body of the request that made it."""

    asked: Json
    status: str
    captures: list[Capture] = field(default_factory=list)
    id: str = field(default_factory=new_id)
    created_at: float = field(default_factory=lambda: time.time())
    is_held: bool = False

    def __post_init__(self) -> None:
        self.amount, self.currency = check_amount(self.unit["amount"])

    @property
    def unit(self) -> Json:
        """The purchase unit as it was sent."""
        unit: Json = self.asked["purchase_units"][0]
        return unit

    @property
    def names(self) -> Json:
        """The seller's own references: `custom_id` and `invoice_id`."""
        return {key: self.unit[key] for key in ("custom_id", "invoice_id") if key in self.unit}

    @property
    def context(self) -> Json:
        """The experience context, with the addresses that the payer returns to."""
        source = self.asked.get("payment_source", {}).get("paypal", {})
        context: Json = source.get("experience_context", {})
        return context

    @property
    def taken(self) -> Capture | None:
        """The capture that took the money or is pending, if there is one."""
        return next((capture for capture in self.captures if capture.status in TAKEN), None)

    def as_json(self, address: str, *, whole: bool = True) -> Json:
        """The order. With `whole=False`: the short answer that PayPal gives without `Prefer: return=representation`."""
        links = [_link(address, f"/v2/checkout/orders/{self.id}", "self"), *self.links_for_the_payer(address)]
        short = {"id": self.id, "status": self.status, "links": links}
        unit: Json = {"reference_id": self.unit.get("reference_id", "default")}
        if self.captures:
            unit["payments"] = {"captures": [capture.as_json(address, alone=False) for capture in self.captures]}
            refunds = [refund.as_json(address) for capture in self.captures for refund in capture.refunds]
            unit["payments"] |= {"refunds": refunds} if refunds else {}
        if not whole:
            return {**short, "purchase_units": [unit]} if self.captures else short
        whole_unit = {**self.unit, "amount": money(self.amount, self.currency), **unit}
        return {
            **short,
            "intent": "CAPTURE",
            "purchase_units": [whole_unit],
            "create_time": written(self.created_at),
            **({"payer": {"payer_id": f"PAYER{self.id[:8]}"}} if self.status in {"APPROVED", "COMPLETED"} else {}),
        }

    def links_for_the_payer(self, address: str) -> list[Json]:
        """The link where the payer approves, as long as the order waits for approval."""
        rel = {"CREATED": "approve", "PAYER_ACTION_REQUIRED": "payer-action"}.get(self.status)
        return [_link(address, f"/checkoutnow?token={self.id}", rel)] if rel else []


@dataclass
class Dispute:
    """A payer's complaint about a capture."""

    capture: Capture
    amount: Decimal
    reason: str
    status: str = "OPEN"
    outcome: str = ""
    id: str = field(default_factory=lambda: f"PP-D-{secrets.randbelow(10**8):08}")
    created_at: float = field(default_factory=lambda: time.time())

    def as_json(self) -> Json:
        """The JSON of a dispute in an answer or an event."""
        body: Json = {
            "dispute_id": self.id,
            "reason": self.reason,
            "status": self.status,
            "dispute_amount": money(self.amount, self.capture.currency),
            "disputed_transactions": [{"seller_transaction_id": self.capture.id}],
            "create_time": written(self.created_at),
        }
        if self.outcome:
            body["dispute_outcome"] = {"outcome_code": self.outcome}
        return body

    def summary(self) -> Json:
        """The JSON of a row in a list. It does not name the capture."""
        body = self.as_json()
        del body["disputed_transactions"]
        return body
