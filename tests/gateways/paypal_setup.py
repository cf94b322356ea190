"""An adapter and a stand-in for PayPal that talk over HTTP on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from fake_gateways.loopback import Answer, LoopbackServer, Request
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.paypal_server import serve
from igny8_core.business.billing.gateways.paypal.charges import PayPalGateway
from igny8_core.business.billing.gateways.paypal.settings import PayPalSettings
from igny8_core.business.billing.gateways.protocol import Charge, ChargeOrder, RefundOrder

REFERENCE = "0198c0de-0000-7000-8000-000000000001"
REFUND_REFERENCE = "0198c0de-0000-7000-8000-00000000000f"


def settings_for(address: str, webhook_id: str = "WEBHOOK1") -> PayPalSettings:
    return PayPalSettings("fake-client", "fake-secret", webhook_id, live=False, api_base=address)


def charge_order(
    reference: str = REFERENCE, amount: str = "19.99", currency: str = "USD", invoice_number: str = "INV-1"
) -> ChargeOrder:
    return ChargeOrder(
        reference=reference,
        amount=Decimal(amount),
        currency=currency,
        invoice_number=invoice_number,
        return_url="https://shop.example/return",
        cancel_url="https://shop.example/cancel?from=paypal",
    )


def refund_order(charge: Charge, amount: str, reference: str = REFUND_REFERENCE) -> RefundOrder:
    return RefundOrder(reference, charge.object_id, charge.capture_id, Decimal(amount), charge.currency, "INV-1")


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    """`pauses` are the seconds for which the adapter wanted to sleep."""

    fake: FakePayPal
    gateway: PayPalGateway
    clock: Clock
    pauses: list[float]

    def approved(self, order: ChargeOrder | None = None) -> Charge:
        """An attempt that the payer has approved."""
        charge = self.gateway.start(order or charge_order())
        self.fake.approve(charge.object_id)
        return charge

    def paid(self, order: ChargeOrder | None = None) -> Charge:
        """An attempt that took its money."""
        order = order or charge_order()
        return self.gateway.complete(self.approved(order).object_id, order.reference)


@contextmanager
def on_stage() -> Iterator[Stage]:
    fake, clock, pauses = FakePayPal(), Clock(), []
    server = serve(fake)
    gateway = PayPalGateway(settings_for(server.address), sleep=pauses.append, timer=clock)
    try:
        yield Stage(fake, gateway, clock, pauses)
    finally:
        server.stop()


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[PayPalGateway, list[Request]]]:
    """An adapter whose requests get these answers, one after the other, and the requests; tokens are given freely."""
    left, asked = list(answers), []

    def handle(request: Request) -> Answer:
        if request.path == "/v1/oauth2/token":
            return Answer(200, b'{"access_token": "t", "token_type": "Bearer", "expires_in": 32400}')
        asked.append(request)
        return left.pop(0)

    server = LoopbackServer(handle).start()
    try:
        yield PayPalGateway(settings_for(server.address), sleep=lambda seconds: None), asked
    finally:
        server.stop()
