"""The third gateway behind the protocol. Its other end is in memory: `approve`, `send_back` and `dispute_it`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from igny8_core.business.billing.gateways.third.settings import ThirdSettings

from igny8_core.business.billing.gateways.protocol import (
    BadSignature,
    Charge,
    ChargeOrder,
    ChargeState,
    DisputeState,
    GatewayDispute,
    GatewayRefund,
    RefundOrder,
    RefundState,
    UnknownObject,
    WebhookMessage,
)
from igny8_core.common import clock
from igny8_core.common.network import Network


class ThirdGateway:
    """See Gateway."""

    name = "third"

    def __init__(self, keys: ThirdSettings) -> None:
        self.live = keys.live
        self._secret = keys.secret
        self._charges: dict[str, Charge] = {}
        self._refunds: dict[str, GatewayRefund] = {}
        self._disputes: dict[str, GatewayDispute] = {}

    def start(self, order: ChargeOrder) -> Charge:
        """See Gateway."""
        object_id = f"T-{order.reference}"
        if object_id not in self._charges:
            self._charges[object_id] = Charge(
                object_id=object_id,
                state=ChargeState.REQUIRES_ACTION,
                amount=order.amount,
                currency=order.currency,
                reference=order.reference,
                live=self.live,
                approve_url=f"https://third.example/pay/{object_id}",
                created_at=clock.now(),
            )
        return self._charges[object_id]

    def fetch(self, object_id: str) -> Charge:
        """See Gateway."""
        if object_id not in self._charges:
            raise UnknownObject("The third gateway does not know it.")
        charge = self._charges[object_id]
        return replace(charge, refunded=sum((refund.amount for refund in self.refunds_of(charge)), Decimal(0)))

    def complete(self, object_id: str, reference: str) -> Charge:
        """See Gateway."""
        return self.fetch(object_id)

    def find(self, order: ChargeOrder, created_at: datetime) -> Charge | None:
        """See Gateway."""
        return self._charges.get(f"T-{order.reference}")

    def cancel(self, object_id: str) -> Charge:
        """See Gateway."""
        charge = self.fetch(object_id)
        if charge.state != ChargeState.SUCCEEDED:
            self._charges[object_id] = replace(charge, state=ChargeState.CANCELED)
        return self.fetch(object_id)

    def refund(self, order: RefundOrder) -> GatewayRefund:
        """See Gateway."""
        return self.send_back(order.object_id, order.amount, order.reference)

    def charge_of_capture(self, capture_id: str) -> Charge:
        """See Gateway."""
        return self.fetch(capture_id.removesuffix("-money"))

    def refund_with_id(self, refund_id: str) -> GatewayRefund:
        """See Gateway."""
        return self._refunds[refund_id]

    def refunds_of(self, charge: Charge) -> list[GatewayRefund]:
        """See Gateway."""
        return [refund for refund in self._refunds.values() if refund.object_id == charge.object_id]

    def recent(self, since: datetime) -> Iterator[Charge]:
        """See Gateway."""
        return map(self.fetch, list(self._charges))

    def dispute(self, dispute_id: str) -> GatewayDispute:
        """See Gateway."""
        return self._disputes[dispute_id]

    def recent_disputes(self, since: datetime) -> Iterator[str]:
        """See Gateway."""
        return iter(list(self._disputes))

    def verify_webhook(self, body: bytes, headers: Mapping[str, str], sender: Sequence[Network] = ()) -> None:
        """See Gateway."""
        if headers.get("third-secret") != self._secret:
            raise BadSignature("another secret")

    def read_webhook(self, body: bytes) -> WebhookMessage:
        """See Gateway."""
        said = json.loads(body)
        return WebhookMessage(said["id"], said["type"], said["about"], live=None)

    def delivery_id(self, headers: Mapping[str, str]) -> str:
        """See Gateway."""
        return ""

    def approve(self, object_id: str) -> None:
        """The customer pays."""
        charge = self._charges[object_id]
        self._charges[object_id] = replace(charge, state=ChargeState.SUCCEEDED, capture_id=f"{object_id}-money")

    def send_back(self, object_id: str, amount: Decimal, reference: str = "") -> GatewayRefund:
        """Money goes back, ordered by us with a reference, or in the gateway's dashboard."""
        refund_id = f"R-{reference or len(self._refunds)}"
        charge = self._charges[object_id]
        made = GatewayRefund(
            refund_id, RefundState.SUCCEEDED, amount, charge.currency, reference, charge.capture_id, object_id
        )
        return self._refunds.setdefault(refund_id, made)

    def dispute_it(self, object_id: str, amount: Decimal) -> str:
        """The customer complains."""
        charge = self._charges[object_id]
        made = GatewayDispute("D-1", DisputeState.OPEN, amount, charge.currency, "not received", object_id)
        self._disputes[made.dispute_id] = made
        return made.dispute_id
