"""Read Stripe's refunds and disputes, and the subscriptions and invoices that Stripe bills by itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from igny8_core.business.billing.gateways.protocol import GatewayDispute, GatewayRefund
from igny8_core.business.billing.gateways.stripe.client import StripeConnection, known
from igny8_core.business.billing.gateways.stripe.mappers import (
    dispute_of,
    id_of,
    invoice_of,
    paid_with,
    refund_of,
    subscription_of,
)
from igny8_core.business.billing.gateways.stripe.mirrored import MirroredInvoice, MirroredSubscription


class StripeMirror(StripeConnection):
    """The reading part of StripeGateway. Methods that take an id raise UnknownObject."""

    def refund_with_id(self, refund_id: str) -> GatewayRefund:
        """A refund as it is now. One that has succeeded can still fail later."""
        with self._asking():
            refund = self._client.v1.refunds.retrieve(known(refund_id))
        return refund_of(refund.to_dict())

    def dispute(self, dispute_id: str) -> GatewayDispute:
        """See Gateway."""
        with self._asking():
            dispute = self._client.v1.disputes.retrieve(known(dispute_id))
        return dispute_of(dispute.to_dict())

    def recent_disputes(self, since: datetime) -> Iterator[str]:
        """See Gateway; newest first."""
        with self._asking():
            disputes = self._client.v1.disputes.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
            for dispute in disputes.auto_paging_iter():
                yield dispute.id

    def subscription(self, subscription_id: str) -> MirroredSubscription:
        """A subscription that Stripe bills, as it is now."""
        with self._asking():
            subscription = self._client.v1.subscriptions.retrieve(known(subscription_id))
        return subscription_of(subscription.to_dict())

    def invoice(self, invoice_id: str) -> MirroredInvoice:
        """An invoice that Stripe made, as it is now, with the payment that paid it."""
        with self._asking():
            invoice = invoice_of(self._client.v1.invoices.retrieve(known(invoice_id)).to_dict())
            # Since 2025 an invoice no longer names its payment.
            payments = self._client.v1.invoice_payments.list({"invoice": invoice_id, "limit": 100})
            intent_id, charge_id = paid_with(payment.to_dict() for payment in payments.auto_paging_iter())
        return replace(invoice, payment_intent_id=intent_id, charge_id=charge_id or invoice.charge_id)

    def invoice_paid_with(self, payment_intent_id: str) -> str:
        """The id of the Stripe invoice that a PaymentIntent paid; empty if it paid none."""
        with self._asking():
            payments = self._client.v1.invoice_payments.list(
                {"payment": {"type": "payment_intent", "payment_intent": known(payment_intent_id)}, "limit": 1}
            )
        return next((id_of(payment.to_dict().get("invoice")) for payment in payments.data), "")
