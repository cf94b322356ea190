"""Subscriptions that Stripe itself bills, with their invoices and payments."""

from copy import deepcopy

from fake_gateways.stripe_parameters import Object, Refusal
from fake_gateways.stripe_reversals import Reversals

DAY = 24 * 60 * 60


class Billing(Reversals):
    """The part of the stand-in that bills subscriptions. Only test controls change anything here."""

    def make_subscription(
        self,
        customer_id: str,
        payment_method_id: str,
        *,
        amount: int,
        currency: str = "usd",
        price_id: str = "price_pro",
        days: int = 30,
        metadata: dict[str, str] | None = None,
    ) -> Object:
        """Make a subscription and charge its first invoice to a saved card. It is `incomplete` if that is declined."""
        with self._changing():
            price = {"id": price_id, "object": "price", "unit_amount": amount, "currency": currency}
            now = int(self.clock())
            item = self._add(
                "subscription_item", price=price, current_period_start=now, current_period_end=now + days * DAY
            )
            subscription = self._add(
                "subscription",
                status="incomplete",
                customer=customer_id,
                currency=currency,
                default_payment_method=payment_method_id,
                items={"object": "list", "data": [item], "has_more": False, "url": "/v1/subscription_items"},
                cancel_at=None,
                cancel_at_period_end=False,
                canceled_at=None,
                ended_at=None,
                latest_invoice=None,
                metadata=metadata or {},
            )
            self._tell("customer.subscription.created", subscription)
            self._bill(subscription)
            return deepcopy(subscription)

    def renew(self, subscription_id: str) -> Object:
        """Begin the next period and charge its invoice to the saved card. If the card is declined, it is `past_due`."""
        with self._changing():
            subscription = self._existing("subscription", subscription_id)
            item = subscription["items"]["data"][0]
            length = item["current_period_end"] - item["current_period_start"]
            item.update(
                current_period_start=item["current_period_end"],
                current_period_end=item["current_period_end"] + length,
            )
            self._bill(subscription)
            return deepcopy(subscription)

    def pay_invoice(self, invoice_id: str) -> Object:
        """Stripe tries again to charge an open invoice."""
        with self._changing():
            invoice = self._existing("invoice", invoice_id)
            self._collect(invoice, self._objects[invoice["parent"]["subscription_details"]["subscription"]])
            return deepcopy(invoice)

    def void_invoice(self, invoice_id: str) -> Object:
        """Somebody voids an open invoice in the dashboard."""
        with self._changing():
            invoice = self._existing("invoice", invoice_id)
            invoice.update(status="void")
            self._tell("invoice.voided", invoice)
            return deepcopy(invoice)

    def cancel_subscription(self, subscription_id: str, *, at_period_end: bool = False) -> Object:
        """Cancel a subscription at once, or at the end of its period as the customer portal does."""
        with self._changing():
            subscription = self._existing("subscription", subscription_id)
            now = int(self.clock())
            subscription["canceled_at"] = now
            if at_period_end:
                subscription["cancel_at"] = subscription["items"]["data"][0]["current_period_end"]
                self._tell("customer.subscription.updated", subscription)
            else:
                subscription.update(status="canceled", ended_at=now)
                self._tell("customer.subscription.deleted", subscription)
            return deepcopy(subscription)

    def _bill(self, subscription: Object) -> None:
        item = subscription["items"]["data"][0]
        amount = item["price"]["unit_amount"]
        line = self._add(
            "line_item",
            amount=amount,
            currency=subscription["currency"],
            description=f"1 × {item['price']['id']}",
            period={"start": item["current_period_start"], "end": item["current_period_end"]},
            parent={
                "type": "subscription_item_details",
                "subscription_item_details": {"subscription": subscription["id"], "proration": False},
            },
            pricing={"type": "price_details", "price_details": {"price": item["price"]["id"]}},
        )
        invoice = self._add(
            "invoice",
            status="open",
            customer=subscription["customer"],
            currency=subscription["currency"],
            amount_due=amount,
            amount_paid=0,
            description=None,
            attempt_count=0,
            lines={"object": "list", "data": [line], "has_more": False, "url": "/v1/invoices/lines"},
            parent={
                "type": "subscription_details",
                "subscription_details": {"subscription": subscription["id"], "metadata": subscription["metadata"]},
            },
            period_start=item["current_period_start"],
            period_end=item["current_period_start"],
            metadata={},
        )
        subscription["latest_invoice"] = invoice["id"]
        self._tell("invoice.created", invoice)
        self._tell("invoice.finalized", invoice)
        self._collect(invoice, subscription)

    def _collect(self, invoice: Object, subscription: Object) -> None:
        payment = self._payment_of(invoice, subscription)
        invoice["attempt_count"] += 1
        try:
            intent = self._objects[payment["payment"]["payment_intent"]]
            self._confirm(intent, subscription["default_payment_method"], {"off_session": True})
        except Refusal as refusal:
            if refusal.status != 402:
                raise
            if subscription["status"] != "incomplete":
                subscription["status"] = "past_due"
            self._tell("invoice.payment_failed", invoice)
        else:
            payment.update(status="paid", amount_paid=invoice["amount_due"])
            invoice.update(status="paid", amount_paid=invoice["amount_due"])
            subscription["status"] = "active"
            self._tell("invoice.paid", invoice)
            self._tell("invoice.payment_succeeded", invoice)
        self._tell("customer.subscription.updated", subscription)

    def _payment_of(self, invoice: Object, subscription: Object) -> Object:
        for thing in self._objects.values():
            if thing["object"] == "invoice_payment" and thing["invoice"] == invoice["id"]:
                return thing
        intent = self.create_payment_intent(
            {
                "amount": invoice["amount_due"],
                "currency": invoice["currency"],
                "customer": subscription["customer"],
                "description": "Subscription",
            }
        )
        return self._add(
            "invoice_payment",
            invoice=invoice["id"],
            amount_requested=invoice["amount_due"],
            amount_paid=None,
            currency=invoice["currency"],
            is_default=True,
            status="open",
            payment={"type": "payment_intent", "payment_intent": intent["id"]},
        )
