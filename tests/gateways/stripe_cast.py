"""A shop at the stand-in for Stripe: one customer, and the adapter that talks to it in-process."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_transport import FakeStripeTransport
from igny8_core.business.billing.gateways.protocol import Charge, ChargeOrder, RefundOrder
from igny8_core.business.billing.gateways.stripe.charges import StripeGateway
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings

SECRET, OLD_SECRET = "whsec_new", "whsec_old"
SETTINGS = StripeSettings("sk_test_shop", "pk_test_shop", (SECRET, OLD_SECRET), live=False)


@dataclass
class Shop:
    """The stand-in, the adapter and a customer of both."""

    fake: FakeStripe = field(default_factory=FakeStripe)
    gateway: StripeGateway = field(init=False)
    customer_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.gateway = StripeGateway(SETTINGS, FakeStripeTransport(self.fake))
        self.customer_id = self.gateway.create_customer("account-1", "ada@example.com", "Ada")

    def order(self, reference: str = "payment-1", amount: str = "12.34", **changes: Any) -> ChargeOrder:
        """An order of this shop's customer."""
        values = {"currency": "USD", "invoice_number": "INV-1", "customer_id": self.customer_id, **changes}
        return ChargeOrder(reference, Decimal(amount), **values)

    def pay(self, reference: str = "payment-1", card: str = "pm_card_visa", **changes: Any) -> Charge:
        """An order that is charged at once."""
        return self.gateway.start(self.order(reference, payment_method_id=card, **changes))

    def refund_order(self, charge: Charge, amount: str, reference: str = "refund-1") -> RefundOrder:
        """An order to give something of a charge back."""
        return RefundOrder(reference, charge.object_id, charge.capture_id, Decimal(amount), charge.currency, "INV-1")

    def saved_cards(self) -> list[dict[str, Any]]:
        """The cards that Stripe has of the shop's customer."""
        return [method for method in self.fake.all("payment_method") if method["customer"] == self.customer_id]
