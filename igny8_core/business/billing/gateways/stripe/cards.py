"""Customers and their saved cards at Stripe. A card's number goes from the browser to Stripe and never through us."""

import hashlib

import stripe

from igny8_core.business.billing.gateways.protocol import Card, CardSetup
from igny8_core.business.billing.gateways.stripe.client import StripeConnection, known
from igny8_core.business.billing.gateways.stripe.mappers import card_of, card_setup_of

TEST_CARD = "pm_card_"


class StripeCards(StripeConnection):
    """The part of StripeGateway that saves cards."""

    def create_customer(self, account_reference: str, email: str, name: str) -> str:
        """Create a customer for one of our accounts; returns its id, which the caller must store.

        The same three values within a day return the same customer. Another name or address creates another one,
        because Stripe refuses an idempotency key that is repeated with other parameters.
        """
        asked = hashlib.sha256("\0".join((account_reference, email, name)).encode()).hexdigest()
        with self._asking():
            customer = self._client.v1.customers.create(
                {"email": email, "name": name, "metadata": {"account_id": account_reference}},
                {"idempotency_key": f"customer:{asked[:32]}"},
            )
        return customer.id

    def erase_customer(self, customer_id: str) -> None:
        """Erase a customer with name, address and cards. Raises UnknownObject if it is erased already, or unknown.

        Stripe ends the customer's subscriptions at once, and keeps payments, which can still be refunded.
        """
        with self._asking():
            self._client.v1.customers.delete(known(customer_id))

    def begin_card_setup(self, customer_id: str, reference: str) -> CardSetup:
        """Begin to save a card, once per reference. The browser completes the setup with its client secret."""
        with self._asking():
            setup = self._client.v1.setup_intents.create(
                {
                    "customer": customer_id,
                    "usage": "off_session",
                    "allowed_payment_method_types": ["card"],
                    "metadata": {"setup_id": reference},
                },
                {"idempotency_key": f"setup:{reference}:create"},
            )
        return card_setup_of(setup.to_dict())

    def card_setup(self, setup_id: str) -> CardSetup:
        """The SetupIntent as it is now. Raises UnknownObject."""
        with self._asking():
            setup = self._client.v1.setup_intents.retrieve(known(setup_id))
        return card_setup_of(setup.to_dict())

    def card(self, payment_method_id: str) -> Card:
        """A card; its `customer_id` is empty if the card was detached. Raises UnknownObject."""
        with self._asking():
            method = self._client.v1.payment_methods.retrieve(known(payment_method_id))
        return card_of(method.to_dict())

    def is_card_of(self, payment_method_id: str, customer_id: str) -> bool:
        """See CardGateway. Stripe's own test cards belong to no customer; they work with test keys."""
        is_test_card = payment_method_id.startswith(TEST_CARD) and not self.live
        return is_test_card or self.card(payment_method_id).customer_id == customer_id

    def forget_card(self, payment_method_id: str) -> None:
        """Detach a card from its customer, if it has one. Raises UnknownObject."""
        with self._asking():
            try:
                self._client.v1.payment_methods.detach(known(payment_method_id))
            except stripe.InvalidRequestError:
                # Stripe has no error code for "not attached", so the card is read instead of parsing Stripe's sentence.
                if self._client.v1.payment_methods.retrieve(payment_method_id).customer is not None:
                    raise
