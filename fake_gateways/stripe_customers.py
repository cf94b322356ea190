"""Customers, their payment methods and the SetupIntents that save them."""

import secrets
import time
from copy import deepcopy
from dataclasses import replace

from fake_gateways.stripe_cards import CARDS, OWN_CODES, TestCard
from fake_gateways.stripe_parameters import Object, Refusal
from fake_gateways.stripe_store import Store


def card_error(code: str, where: str, thing: Object | None = None) -> Refusal:
    """The error 402 for a declined card. `where` is "payment_intent" or "setup_intent", `thing` that object, if any."""
    own = code in OWN_CODES
    extra = {where: deepcopy(thing)} if thing else {}
    return Refusal(
        "Your card was declined.",
        status=402,
        kind="card_error",
        code=code if own else "card_declined",
        decline_code=code,
        extra=extra,
    )


class Customers(Store):
    """The part of the stand-in that knows who owns which card."""

    def save_card(self, customer_id: str, card: str = "pm_card_visa") -> str:
        """A test control: save a card, even one that declines charges. Returns the payment method's id."""
        with self._changing():
            method = self._new_method(card)
            self._attach(method, customer_id)
            self._set_up.add(method["id"])
            return str(method["id"])

    def set_card_declines(self, payment_method_id: str, code: str) -> None:
        """A test control: decline each later charge of this saved card. The code "" makes the card work again."""
        with self._changing():
            card = self._cards[payment_method_id]
            self._cards[payment_method_id] = replace(card, declines=code, only_charges=True)

    def complete_setup(self, setup_id: str, card: str = "pm_card_visa") -> Object:
        """What Stripe.js does when the customer saves a card. Returns the SetupIntent, whether or not it succeeded."""
        with self._changing():
            setup = self._existing("setup_intent", setup_id)
            if setup["status"] not in {"requires_payment_method", "requires_confirmation"}:
                raise Refusal("The SetupIntent is not waiting for a card.", code="setup_intent_unexpected_state")
            method = self._usable(card, setup["customer"])
            behaviour = self._cards[method["id"]]
            if behaviour.declines and not behaviour.only_charges:
                self._refuse_setup(setup, behaviour.declines)
            else:
                setup["payment_method"] = method["id"]
                setup["last_setup_error"] = None
                if behaviour.asks:
                    setup.update(status="requires_action", next_action={"type": "use_stripe_sdk"})
                    self._tell("setup_intent.requires_action", setup)
                else:
                    self._finish_setup(setup)
            return deepcopy(setup)

    def _refuse_setup(self, setup: Object, code: str) -> None:
        error = card_error(code, "setup_intent").body["error"]
        setup.update(status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error)
        self._tell("setup_intent.setup_failed", setup)

    def _finish_setup(self, setup: Object) -> None:
        setup.update(status="succeeded", next_action=None)
        self._set_up.add(setup["payment_method"])
        method = self._objects[setup["payment_method"]]
        if setup["customer"] and method["customer"] is None:
            self._attach(method, setup["customer"])
        self._tell("setup_intent.succeeded", setup)

    def create_customer(self, params: Object) -> Object:
        """POST /v1/customers"""
        known = {name: params.get(name) for name in ("email", "name", "description")}
        customer = self._add("customer", metadata=params.get("metadata", {}), **known)
        self._tell("customer.created", customer)
        return customer

    def delete_customer(self, customer_id: str, params: Object) -> Object:
        """DELETE /v1/customers/{id}: cards are detached and subscriptions end at once. Only the id is left."""
        customer = self._existing("customer", customer_id)
        for thing in self._objects.values():
            if thing["object"] == "payment_method" and thing["customer"] == customer_id:
                thing["customer"] = None
                self._spent.add(thing["id"])
            elif thing["object"] == "subscription" and thing["customer"] == customer_id and not thing.get("ended_at"):
                thing.update(status="canceled", canceled_at=int(time.time()), ended_at=int(time.time()))
                self._tell("customer.subscription.deleted", thing)
        self._tell("customer.deleted", customer)
        self._objects[customer_id] = {"id": customer_id, "object": "customer", "deleted": True}
        return self._objects[customer_id]

    def retrieve_customer(self, customer_id: str, params: Object) -> Object:
        """GET /v1/customers/{id}: of a deleted one, that it is deleted."""
        thing = self._objects.get(customer_id, {})
        return thing if thing.get("deleted") else self._existing("customer", customer_id)

    def create_setup_intent(self, params: Object) -> Object:
        """POST /v1/setup_intents"""
        if params.get("customer"):
            self._named("customer", params["customer"], "customer")
        setup = self._add(
            "setup_intent",
            status="requires_payment_method",
            customer=params.get("customer"),
            usage=params.get("usage", "off_session"),
            payment_method=None,
            payment_method_types=params.get("allowed_payment_method_types", ["card", "link"]),
            metadata=params.get("metadata", {}),
            next_action=None,
            last_setup_error=None,
        )
        setup["client_secret"] = f"{setup['id']}_secret_{secrets.token_hex(12)}"
        self._tell("setup_intent.created", setup)
        return setup

    def attach_payment_method(self, method_id: str, params: Object) -> Object:
        """POST /v1/payment_methods/{id}/attach"""
        method = self._new_method(method_id) if method_id in CARDS else self._existing("payment_method", method_id)
        if method["customer"] not in (None, params["customer"]) or method["id"] in self._spent:
            raise Refusal("The payment method you provided has already been attached to a customer.")
        card = self._cards[method["id"]]
        if card.declines and not card.only_charges:
            raise card_error(card.declines, "payment_intent")
        self._attach(method, params["customer"])
        return method

    def detach_payment_method(self, method_id: str, params: Object) -> Object:
        """POST /v1/payment_methods/{id}/detach"""
        method = self._existing("payment_method", method_id)
        if method["customer"] is None:
            raise Refusal("The payment method you provided is not attached to a customer so detachment is impossible.")
        before, method["customer"] = method["customer"], None
        self._spent.add(method_id)
        self._tell("payment_method.detached", method, {"customer": before})
        return method

    def _new_method(self, name: str) -> Object:
        """Make a payment method. Each use of a test card's name makes a new one."""
        card: TestCard = CARDS[name]
        shown = {"brand": card.brand, "last4": card.last4, "exp_month": 12, "exp_year": 2034, "funding": "credit"}
        method = self._add("payment_method", type="card", customer=None, card=shown, metadata={}, billing_details={})
        self._cards[method["id"]] = card
        return method

    def _attach(self, method: Object, customer_id: str) -> None:
        self._named("customer", customer_id, "customer")
        if method["customer"] is None:
            method["customer"] = customer_id
            self._tell("payment_method.attached", method)

    def _usable(self, name: str, customer_id: str | None) -> Object:
        """The payment method to charge or to save. Refused if it is another customer's, or was used or detached."""
        if name in CARDS:
            return self._new_method(name)
        method = self._named("payment_method", name, "payment_method")
        if method["customer"] is None and name in self._spent:
            raise Refusal(
                "The provided PaymentMethod was used or detached before and was not attached to a Customer. It may "
                "not be used again.",
                param="payment_method",
            )
        if method["customer"] not in (None, customer_id):
            raise Refusal(f"The payment method '{name}' belongs to another customer.", param="payment_method")
        return method
