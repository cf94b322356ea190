"""A stand-in for PayPal: orders, captures, refunds and disputes in memory. No money moves.

The answers follow PayPal's documentation. Three things are guesses:
- A capture that fails with an error is not remembered for its PayPal-Request-Id.
- The event of a reversal has a refund as its resource.
- If two requests with the same id arrive together, the second one waits and is not refused.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from fake_gateways.paypal_checks import Json, Refusal, check_amount, check_dispute_list, check_order, check_refund
from fake_gateways.paypal_events import Announcements
from fake_gateways.paypal_objects import TAKEN, Capture, Dispute, Order, Refund
from fake_gateways.paypal_troubles import Troubles

ORDERS_REMEMBERED = 6 * 3600  # seconds; how long a PayPal-Request-Id is remembered
REFUNDS_REMEMBERED = 45 * 24 * 3600
REFUNDABLE_FOR = 180 * 24 * 3600
REFUNDABLE = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})


Kind = TypeVar("Kind")


@dataclass(frozen=True)
class _Remembered:
    """The object that a request with a PayPal-Request-Id made."""

    body: Json
    object_id: str
    until: float


class FakePayPal(Announcements):
    """PayPal's API. Its methods return JSON, some with a status, and raise Refusal. Test controls follow below them.

    `troubles` make it misbehave, but only over HTTP (paypal_server). `denied_event` is the event type of a refused
    capture. Tests can change it, because PayPal's documentation uses both DENIED and DECLINED.
    """

    def __init__(
        self,
        client_id: str = "fake-client",
        client_secret: str = "fake-secret",
        webhook_id: str = "WEBHOOK1",
    ) -> None:
        super().__init__(webhook_id)
        self.troubles = Troubles()
        self.denied_event = "PAYMENT.CAPTURE.DENIED"
        self.token_lifetime = 32_400
        self.tokens_issued = 0
        self.orders: dict[str, Order] = {}
        self.captures: dict[str, Capture] = {}
        self.refunds: dict[str, Refund] = {}
        self.disputes: dict[str, Dispute] = {}
        self._credentials = (client_id, client_secret)
        self._tokens: dict[str, float] = {}
        self._remembered: dict[tuple[str, str], _Remembered] = {}
        self._decline_with = ""
        self._refund_status = "COMPLETED"

    # What PayPal's API does

    def new_token(self, client_id: str, client_secret: str) -> Json:
        """POST /v1/oauth2/token"""
        with self._change():
            if (client_id, client_secret) != self._credentials:
                raise Refusal(401, "INVALID_CLIENT")
            token = secrets.token_urlsafe(24)
            self._tokens[token] = time.time() + self.token_lifetime
            self.tokens_issued += 1
            return {"access_token": token, "token_type": "Bearer", "expires_in": self.token_lifetime}

    def knows_token(self, token: str) -> bool:
        """Whether the token was issued here, has not expired and was not revoked."""
        return time.time() < self._tokens.get(token, 0)

    def create_order(self, body: Json, request_id: str, *, whole: bool = True) -> tuple[int, Json]:
        """POST /v2/checkout/orders"""

        def make() -> str:
            check_order(body)
            has_source = "payment_source" in body
            if has_source and not request_id:
                raise Refusal(400, "PAYPAL_REQUEST_ID_REQUIRED")
            order = Order(body, "PAYER_ACTION_REQUIRED" if has_source else "CREATED")
            self.orders[order.id] = order
            return order.id

        with self._change():
            status, order_id = self._once("order", request_id, body, ORDERS_REMEMBERED, make)
            return status, self.orders[order_id].as_json(self.address, whole=whole)

    def get_order(self, order_id: str) -> Json:
        """GET /v2/checkout/orders/{id}"""
        with self._change():
            return self._known(self.orders, order_id).as_json(self.address)

    def capture_order(self, order_id: str, body: Json, request_id: str, *, whole: bool = True) -> tuple[int, Json]:
        """POST /v2/checkout/orders/{id}/capture"""

        def make() -> str:
            self._capture(order)
            return order.id

        with self._change():
            order = self._known(self.orders, order_id)
            if body:
                raise Refusal(400, "UNKNOWN_PARAMETER")
            asked = {"order": order_id}
            status, _ = self._once("capture", request_id, asked, ORDERS_REMEMBERED, make)
            return status, order.as_json(self.address, whole=whole)

    def get_capture(self, capture_id: str) -> Json:
        """GET /v2/payments/captures/{id}"""
        with self._change():
            return self._known(self.captures, capture_id).as_json(self.address)

    def refund_capture(self, capture_id: str, body: Json, request_id: str) -> tuple[int, Json]:
        """POST /v2/payments/captures/{id}/refund"""

        def make() -> str:
            check_refund(body)
            amount = self._refundable(capture, body)
            names = body.get("custom_id", ""), body.get("invoice_id", "")
            return self._give_back(capture, amount, self._refund_status, "REFUNDED", *names).id

        with self._change():
            capture = self._known(self.captures, capture_id)
            asked = {**body, "capture": capture_id}
            status, refund_id = self._once("refund", request_id, asked, REFUNDS_REMEMBERED, make)
            return status, self.refunds[refund_id].as_json(self.address)

    def get_refund(self, refund_id: str) -> Json:
        """GET /v2/payments/refunds/{id}"""
        with self._change():
            return self._known(self.refunds, refund_id).as_json(self.address)

    def get_dispute(self, dispute_id: str) -> Json:
        """GET /v1/customer/disputes/{id}"""
        with self._change():
            return self._known(self.disputes, dispute_id).as_json()

    def list_disputes(self, query: Mapping[str, str]) -> Json:
        """GET /v1/customer/disputes: one page, newest first"""
        since, size, page = check_dispute_list(query)
        with self._change():
            found = [dispute for dispute in self.disputes.values() if dispute.created_at >= since][::-1]
            return {"items": [dispute.summary() for dispute in found[(page - 1) * size : page * size]], "links": []}

    # What people and PayPal do, for tests and demos

    def approve(self, order_id: str) -> None:
        """The payer approves the order. After the capture this changes nothing."""
        with self._change():
            order = self._known(self.orders, order_id)
            if order.status in {"CREATED", "PAYER_ACTION_REQUIRED"}:
                order.status = "APPROVED"
                self._announce("CHECKOUT.ORDER.APPROVED", order.as_json(self.address))

    def order_with(self, custom_id: str) -> Order:
        """The newest order with this `custom_id`."""
        with self._lock:
            found = [order for order in self.orders.values() if order.names.get("custom_id") == custom_id]
        return found[-1]

    def captures_with(self, custom_id: str) -> list[Capture]:
        """All captures with this `custom_id`, in any order, that took money or are pending."""
        with self._lock:
            captures = list(self.captures.values())
        return [one for one in captures if one.order.names.get("custom_id") == custom_id and one.status in TAKEN]

    def decline_next_capture(self, issue: str = "INSTRUMENT_DECLINED") -> None:
        """Refuse the next capture of any approved order with this issue."""
        self._decline_with = issue

    def hold_capture(self, order_id: str) -> None:
        """Let the capture of this order stay PENDING until `release` or `deny`."""
        with self._change():
            self._known(self.orders, order_id).is_held = True

    def release(self, order_id: str) -> None:
        """Complete a pending capture."""
        self._decide(order_id, "COMPLETED", "PAYMENT.CAPTURE.COMPLETED")

    def deny(self, order_id: str) -> None:
        """Refuse a pending capture. The event has the type `denied_event`."""
        self._decide(order_id, "DECLINED", self.denied_event)

    def hold_refunds(self, status: str = "PENDING") -> None:
        """Start all later refunds in this status."""
        self._refund_status = status

    def finish_refund(self, refund_id: str, status: str) -> None:
        """Change a refund to COMPLETED, FAILED or CANCELLED."""
        with self._change():
            refund = self._known(self.refunds, refund_id)
            refund.status = status
            refund.capture.follow_refunds()
            if status == "COMPLETED":
                self._announce("PAYMENT.CAPTURE.REFUNDED", refund.as_json(self.address), "refund")

    def refund_in_dashboard(self, capture_id: str, amount: Decimal | None = None) -> str:
        """The seller refunds money at PayPal's site (None: all that is left). Returns the refund's id."""
        with self._change():
            capture = self._known(self.captures, capture_id)
            return self._give_back(capture, capture.left if amount is None else amount, "COMPLETED", "REFUNDED").id

    def reverse(self, capture_id: str) -> str:
        """PayPal takes back all that is left of a capture. Returns the refund's id."""
        with self._change():
            capture = self._known(self.captures, capture_id)
            return self._give_back(capture, capture.left, "COMPLETED", "REVERSED").id

    def open_dispute(self, capture_id: str, reason: str = "MERCHANDISE_OR_SERVICE_NOT_RECEIVED") -> str:
        """The payer disputes all that is left of a capture. Returns the dispute's id."""
        with self._change():
            capture = self._known(self.captures, capture_id)
            dispute = Dispute(capture, capture.left, reason)
            self.disputes[dispute.id] = dispute
            self._announce("CUSTOMER.DISPUTE.CREATED", dispute.as_json())
            return dispute.id

    def close_dispute(self, dispute_id: str, outcome: str = "RESOLVED_BUYER_FAVOUR") -> None:
        """PayPal decides a dispute. If the buyer wins, the money also goes back."""
        with self._change():
            dispute = self._known(self.disputes, dispute_id)
            dispute.status, dispute.outcome = "RESOLVED", outcome
            if outcome == "RESOLVED_BUYER_FAVOUR":
                self._give_back(dispute.capture, dispute.capture.left, "COMPLETED", "REVERSED")
            self._announce("CUSTOMER.DISPUTE.RESOLVED", dispute.as_json())

    def expire(self, order_id: str) -> None:
        """PayPal forgets an order that nobody approved in time."""
        with self._change():
            del self.orders[order_id]

    def revoke_tokens(self) -> None:
        """Make all issued tokens invalid at once."""
        self._tokens.clear()

    # Internals

    def _once(
        self, kind: str, request_id: str, body: Json, remembered_for: int, make: Callable[[], str]
    ) -> tuple[int, str]:
        """Make an object (201), or find the one that this PayPal-Request-Id made (200). Returns status and id."""
        if len(request_id) > 108:
            raise Refusal(400, "INVALID_STRING_LENGTH", field="PayPal-Request-Id")
        known = self._remembered.get((kind, request_id)) if request_id else None
        if known and time.time() < known.until:
            if known.body != body:
                raise Refusal(422, "DUPLICATE_REQUEST_ID")
            return 200, known.object_id
        object_id = make()
        if request_id:
            self._remembered[kind, request_id] = _Remembered(body, object_id, time.time() + remembered_for)
        return 201, object_id

    @staticmethod
    def _known(objects: dict[str, Kind], object_id: str) -> Kind:
        if object_id not in objects:
            raise Refusal(404, "INVALID_RESOURCE_ID")
        return objects[object_id]

    def _capture(self, order: Order) -> None:
        if order.taken:
            raise Refusal(422, "ORDER_ALREADY_CAPTURED")
        if order.status != "APPROVED":
            raise Refusal(422, "ORDER_NOT_APPROVED")
        issue, self._decline_with = self._decline_with, ""
        if issue == "INSTRUMENT_DECLINED":
            order.status = "PAYER_ACTION_REQUIRED"
            href = f"{self.address}/checkoutnow?token={order.id}"
            raise Refusal(422, issue, links=[{"href": href, "rel": "redirect", "method": "GET"}])
        if issue:
            raise Refusal(422, issue)
        invoice = order.names.get("invoice_id")
        if invoice and any(one.order.names.get("invoice_id") == invoice and one.status in TAKEN for one in self._all()):
            raise Refusal(422, "DUPLICATE_INVOICE_ID")
        capture = Capture(order, *(("PENDING", "PENDING_REVIEW") if order.is_held else ("COMPLETED", "")))
        order.status = "COMPLETED"
        order.captures.append(capture)
        self.captures[capture.id] = capture
        self._announce(f"PAYMENT.CAPTURE.{capture.status}", capture.as_json(self.address))

    def _all(self) -> list[Capture]:
        return list(self.captures.values())

    def _decide(self, order_id: str, status: str, event_type: str) -> None:
        with self._change():
            capture = self._known(self.orders, order_id).captures[-1]
            if capture.status != "PENDING":
                raise ValueError(f"the capture of {order_id} is {capture.status}")
            capture.status, capture.reason = status, ""
            self._announce(event_type, capture.as_json(self.address))

    @staticmethod
    def _refundable(capture: Capture, body: Json) -> Decimal:
        if capture.status == "PENDING":
            raise Refusal(422, "PENDING_CAPTURE")
        if capture.status not in REFUNDABLE:
            raise Refusal(422, "REFUND_NOT_ALLOWED")
        if not capture.left:
            raise Refusal(422, "CAPTURE_FULLY_REFUNDED")
        if time.time() > capture.created_at + REFUNDABLE_FOR:
            raise Refusal(422, "REFUND_TIME_LIMIT_EXCEEDED")
        if "amount" not in body:
            return capture.left
        amount, currency = check_amount(body["amount"])
        if currency != capture.currency:
            raise Refusal(422, "REFUND_CAPTURE_CURRENCY_MISMATCH")
        if amount > capture.left:
            raise Refusal(422, "REFUND_AMOUNT_EXCEEDED")
        return amount

    def _give_back(
        self,
        capture: Capture,
        amount: Decimal,
        status: str,
        told_as: str,
        custom_id: str = "",
        invoice_id: str = "",
    ) -> Refund:
        refund = Refund(capture, amount, custom_id, invoice_id, status)
        capture.refunds.append(refund)
        self.refunds[refund.id] = refund
        capture.follow_refunds()
        if status == "COMPLETED":
            self._announce(f"PAYMENT.CAPTURE.{told_as}", refund.as_json(self.address), "refund")
        return refund
