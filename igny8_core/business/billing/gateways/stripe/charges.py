"""Stripe as a Gateway: one PaymentIntent per attempt to collect one of our invoices."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import stripe
from django.utils.translation import gettext as _

from igny8_core.business.billing.gateways.protocol import (
    Charge,
    ChargeOrder,
    ChargeState,
    Declined,
    GatewayRefund,
    Misconfigured,
    RefundOrder,
    UnknownObject,
    WebhookMessage,
)
from igny8_core.business.billing.gateways.stripe import messages, signature
from igny8_core.business.billing.gateways.stripe.billing import StripeMirror
from igny8_core.business.billing.gateways.stripe.cards import StripeCards
from igny8_core.business.billing.gateways.stripe.client import known
from igny8_core.business.billing.gateways.stripe.errors import translated
from igny8_core.business.billing.gateways.stripe.mappers import charge_of, id_of, refund_of
from igny8_core.business.billing.gateways.stripe.money import to_stripe
from igny8_core.common import clock
from igny8_core.common.network import Network

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams, PaymentIntentListParams, RefundCreateParams, RefundListParams

log = logging.getLogger(__name__)

WINDOW = timedelta(days=1)
NOT_EXPRESSIBLE = "amount_not_expressible"
CARD_UNUSABLE = "payment_method_unusable"
UNEXPECTED_STATE = "payment_intent_unexpected_state"
NOT_REFUNDABLE = frozenset(
    {"charge_already_refunded", "charge_disputed", "charge_not_refundable", "refund_disputed_payment"}
)


class StripeGateway(StripeCards, StripeMirror):
    """Stripe as a CardGateway, with methods for the subscriptions that Stripe bills by itself.

    An amount that Stripe cannot take exactly (1.234 KWD) raises Misconfigured before anything is sent.
    """

    def start(self, order: ChargeOrder) -> Charge:
        """Begin an attempt, or return the one that this reference began, as it is now. Raises Declined.

        Stripe remembers a reference for a day. After that call `find` first, or a second attempt begins. A saved card
        that is not, or no longer, the customer's raises Declined with the code "payment_method_unusable".
        """
        asked = _creation(order)
        try:
            with self._asking():
                return self._started(order, asked)
        except UnknownObject as error:
            # The unknown object is the card or the customer, because the PaymentIntent does not exist yet.
            log.error("Stripe does not know what an order names, request %s", error.request_id)
            raise Misconfigured(error.text, code=error.code, request_id=error.request_id) from None

    def _started(self, order: ChargeOrder, asked: "PaymentIntentCreateParams") -> Charge:
        try:
            intent = self._client.v1.payment_intents.create(asked, {"idempotency_key": f"pay:{order.reference}:create"})
        except stripe.CardError as error:
            return self._declined(error)
        except stripe.IdempotencyError:
            # An older release may have sent the same request with other parameters, and Stripe may have accepted it.
            earlier = self.find(order, clock.now() - WINDOW)
            if earlier is None:
                raise
            return earlier
        except stripe.InvalidRequestError as error:
            if error.param == "payment_method":
                text = _("This card can no longer be used. Use another card.")
                raise Declined(text, code=CARD_UNUSABLE, request_id=error.request_id or "") from None
            raise
        if _is_replay(intent):
            return self.fetch(intent.id)
        return charge_of(intent.to_dict())

    def _declined(self, error: stripe.CardError) -> Charge:
        """Raises Declined, unless Stripe just repeats an old refusal and the attempt has continued since."""
        declined = translated(error, is_in_doubt=False)
        if isinstance(declined, Declined) and declined.charge and _was_replayed(error.headers):
            charge = self.fetch(declined.charge.object_id)
            if charge.state is not ChargeState.DECLINED:
                return charge
        raise declined from None

    def fetch(self, object_id: str) -> Charge:
        """The attempt as it is now; DECLINED if its last try failed. Raises UnknownObject."""
        with self._asking():
            intent = self._client.v1.payment_intents.retrieve(known(object_id), {"expand": ["latest_charge"]})
        return charge_of(intent.to_dict())

    def complete(self, object_id: str, reference: str) -> Charge:
        """Confirm an attempt that waits for its confirmation; otherwise the same as fetch. Raises Declined."""
        charge = self.fetch(object_id)
        if charge.raw_status != "requires_confirmation":
            return charge
        with self._asking():
            try:
                # No idempotency key is needed: Stripe confirms a PaymentIntent once.
                intent = self._client.v1.payment_intents.confirm(object_id, {"expand": ["latest_charge"]})
            except stripe.InvalidRequestError as error:
                if error.code == UNEXPECTED_STATE:
                    return self.fetch(object_id)
                raise
        return charge_of(intent.to_dict())

    def find(self, order: ChargeOrder, created_at: datetime) -> Charge | None:
        """The attempt with the order's reference, begun within a day of `created_at`, or None."""
        asked: PaymentIntentListParams = {
            "created": {"gte": _seconds(created_at - WINDOW), "lte": _seconds(created_at + WINDOW)}
        }
        if order.customer_id:
            asked["customer"] = order.customer_id
        found = [charge for charge in self._listed(asked) if charge.reference == order.reference]
        # If there are several, one that took money comes first.
        return min(found, key=lambda charge: charge.state is not ChargeState.SUCCEEDED, default=None)

    def recent(self, since: datetime) -> Iterator[Charge]:
        """The attempts begun since then, newest first, also those of other products."""
        return self._listed({"created": {"gte": _seconds(since)}})

    def _listed(self, asked: "PaymentIntentListParams") -> Iterator[Charge]:
        with self._asking():
            intents = self._client.v1.payment_intents.list({**asked, "limit": 100, "expand": ["data.latest_charge"]})
            for intent in intents.auto_paging_iter():
                yield charge_of(intent.to_dict())

    def cancel(self, object_id: str) -> Charge:
        """End an attempt if that is still possible; returns its state now. Raises UnknownObject."""
        with self._asking():
            try:
                intent = self._client.v1.payment_intents.cancel(known(object_id), {"expand": ["latest_charge"]})
            except stripe.InvalidRequestError as error:
                if error.code == UNEXPECTED_STATE:
                    return self.fetch(object_id)
                raise
        return charge_of(intent.to_dict())

    def charge_of_capture(self, capture_id: str) -> Charge:
        """The attempt of a Charge. Raises UnknownObject, also if the Charge has no PaymentIntent."""
        with self._asking():
            charge = self._client.v1.charges.retrieve(known(capture_id)).to_dict()
        return self.fetch(id_of(charge.get("payment_intent")))

    def refund(self, order: RefundOrder) -> GatewayRefund:
        """Refund money, once per reference. Raises Declined if less is left, UnknownObject."""
        of: RefundListParams = {}
        asked: RefundCreateParams = {
            "amount": _units(order.amount, order.currency),
            "metadata": {**order.metadata, "refund_id": order.reference},
        }
        if order.object_id:
            of["payment_intent"] = asked["payment_intent"] = order.object_id
        else:
            of["charge"] = asked["charge"] = known(order.capture_id)
        with self._asking():
            # Stripe forgets the key after a day, and nothing else would stop a second partial refund.
            for refund in self._refunds(of):
                if refund.reference == order.reference:
                    return refund
            return self._refunded(asked, f"refund:{order.reference}:create")

    def _refunded(self, asked: "RefundCreateParams", key: str) -> GatewayRefund:
        try:
            refund = self._client.v1.refunds.create(asked, {"idempotency_key": key})
        except stripe.InvalidRequestError as error:
            if error.code in NOT_REFUNDABLE or error.param == "amount":
                text = "Stripe cannot refund this amount: less of the payment is left, or the payment is disputed."
                raise Declined(text, code=error.code or "", request_id=error.request_id or "") from None
            raise
        return refund_of(refund.to_dict())

    def refunds_of(self, charge: Charge) -> list[GatewayRefund]:
        """All refunds of a charge, whoever ordered them, newest first."""
        with self._asking():
            return self._refunds({"payment_intent": known(charge.object_id)})

    def _refunds(self, of: "RefundListParams") -> list[GatewayRefund]:
        refunds = self._client.v1.refunds.list({**of, "limit": 100})
        return [refund_of(refund.to_dict()) for refund in refunds.auto_paging_iter()]

    def verify_webhook(self, body: bytes, headers: Mapping[str, str], sender: Sequence[Network] = ()) -> None:
        """Check the signature with each configured secret. Raises BadSignature, also if no secret is configured."""
        signature.verify(body, headers, self._webhook_secrets)

    def read_webhook(self, body: bytes) -> WebhookMessage:
        """What a verified message is about. Raises ValueError if it cannot be read."""
        return messages.read(body)

    def delivery_id(self, headers: Mapping[str, str]) -> str:
        """Always empty. Stripe's signature covers the whole message, so a delivery needs no id."""
        return ""


def _creation(order: ChargeOrder) -> "PaymentIntentCreateParams":
    """The parameters of the PaymentIntent. The same order always gives the same ones, as idempotency keys demand."""
    asked: PaymentIntentCreateParams = {
        "amount": _units(order.amount, order.currency),
        "currency": order.currency.lower(),
        # This version of the API refuses `payment_method_types`.
        "allowed_payment_method_types": ["card"],
        "description": order.invoice_number,
        "metadata": {**order.metadata, "payment_id": order.reference},
        "expand": ["latest_charge"],
    }
    if order.customer_id:
        asked["customer"] = order.customer_id
    if order.payment_method_id:
        asked["payment_method"] = order.payment_method_id
        asked["confirm"] = True
        if order.off_session:
            asked["off_session"] = True
        elif order.return_url:
            asked["return_url"] = order.return_url
    if order.save_card and not order.off_session:
        asked["setup_future_usage"] = "off_session"
    return asked


def _units(amount: Decimal, currency: str) -> int:
    try:
        return to_stripe(amount, currency)
    except ValueError as error:
        raise Misconfigured(str(error), code=NOT_EXPRESSIBLE) from None


def _is_replay(thing: stripe.StripeObject) -> bool:
    return thing.last_response is not None and _was_replayed(thing.last_response.headers)


def _was_replayed(headers: Mapping[str, str] | None) -> bool:
    """Whether Stripe repeats its earlier answer to the same idempotency key."""
    return any(name.lower() == "idempotent-replayed" and value == "true" for name, value in (headers or {}).items())


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
