"""PaymentIntents and their charges."""

import secrets
from collections.abc import Mapping
from copy import deepcopy

from fake_gateways.stripe_customers import Customers, card_error
from fake_gateways.stripe_parameters import Object, Refusal

NOTHING: Mapping[str, object] = {}
SMALLEST = {"usd": 50, "eur": 50, "gbp": 30}
HUNDREDS = frozenset({"isk", "ugx"})
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
CONFIRMABLE = frozenset({"requires_payment_method", "requires_confirmation"})
CANCELABLE = CONFIRMABLE | {"requires_action", "processing", "requires_capture"}
UNEXPECTED = "payment_intent_unexpected_state"
AUTHENTICATION_FAILED = "payment_intent_authentication_failure"


class Payments(Customers):
    """The part of the stand-in that takes money."""

    def pay_in_browser(self, client_secret: str, card: str = "pm_card_visa") -> Object:
        """What Stripe.js does when the customer pays with a test card or a saved card. Returns the PaymentIntent.

        For the secret of a SetupIntent it does the same as complete_setup. Raises KeyError for an unknown secret.
        """
        with self._changing():
            intent = self._objects[self.with_secret(client_secret)["id"]]
            if intent["object"] == "setup_intent":
                return self.complete_setup(intent["id"], card)
            try:
                self._confirm(intent, card)
            except Refusal as refusal:
                if refusal.status != 402:
                    raise
            return deepcopy(intent)

    def authenticate(self, intent_id: str) -> Object:
        """The customer authenticates at the bank. The PaymentIntent or SetupIntent must be waiting for that."""
        with self._changing():
            intent = self._waiting_for_customer(intent_id)
            if intent["object"] == "setup_intent":
                self._finish_setup(intent)
            else:
                self._take(intent)
            return deepcopy(intent)

    def fail_authentication(self, intent_id: str) -> Object:
        """The customer fails to authenticate at the bank."""
        with self._changing():
            intent = self._waiting_for_customer(intent_id)
            if intent["object"] == "setup_intent":
                self._refuse_setup(intent, "setup_intent_authentication_failure")
            else:
                self._decline(intent, AUTHENTICATION_FAILED, with_charge=False)
            return deepcopy(intent)

    def decline_next(self, code: str = "generic_decline", times: int = 1) -> None:
        """Decline the next charges of any card."""
        self._declines += [code] * times

    def leave_processing(self, times: int = 1) -> None:
        """Let the next charges stay in "processing" until finish_processing, if they would succeed."""
        self._processing += times

    def finish_processing(self, intent_id: str, declines: str = "") -> Object:
        """End "processing": the charge succeeds, or is declined with the code `declines`."""
        with self._changing():
            intent = self._existing("payment_intent", intent_id)
            if declines:
                self._decline(intent, declines)
            else:
                self._take(intent)
            return deepcopy(intent)

    def _waiting_for_customer(self, intent_id: str) -> Object:
        intent = self._objects[intent_id]
        if intent["status"] != "requires_action":
            raise Refusal(
                f"This object does not wait for the customer: its status is {intent['status']}.", code=UNEXPECTED
            )
        return intent

    def create_payment_intent(self, params: Object) -> Object:
        """POST /v1/payment_intents"""
        _check_amount(params["amount"], params["currency"])
        if params.get("customer"):
            self._named("customer", params["customer"], "customer")
        if "off_session" in params and not params.get("confirm"):
            raise Refusal("off_session can only be used with confirm.", param="off_session")
        method = self._usable(params["payment_method"], params.get("customer")) if "payment_method" in params else None
        intent = self._add(
            "payment_intent",
            amount=params["amount"],
            amount_received=0,
            currency=params["currency"],
            status="requires_confirmation" if method else "requires_payment_method",
            customer=params.get("customer"),
            payment_method=method["id"] if method else None,
            payment_method_types=params.get("allowed_payment_method_types", ["card", "link"]),
            description=params.get("description"),
            metadata=params.get("metadata", {}),
            setup_future_usage=params.get("setup_future_usage"),
            latest_charge=None,
            last_payment_error=None,
            next_action=None,
            canceled_at=None,
        )
        intent["client_secret"] = f"{intent['id']}_secret_{secrets.token_hex(12)}"
        self._tell("payment_intent.created", intent)
        if params.get("confirm"):
            self._confirm(intent, "", params)
        return intent

    def confirm_payment_intent(self, intent_id: str, params: Object) -> Object:
        """POST /v1/payment_intents/{id}/confirm"""
        intent = self._existing("payment_intent", intent_id)
        self._confirm(intent, params.get("payment_method", ""), params)
        return intent

    def cancel_payment_intent(self, intent_id: str, params: Object) -> Object:
        """POST /v1/payment_intents/{id}/cancel"""
        intent = self._existing("payment_intent", intent_id)
        if intent["status"] not in CANCELABLE:
            raise _unexpected(intent, "canceled")
        intent.update(status="canceled", canceled_at=int(self.clock()), next_action=None)
        self._tell("payment_intent.canceled", intent)
        return intent

    def _confirm(self, intent: Object, method_name: str = "", params: Mapping[str, object] = NOTHING) -> None:
        """Charge the named card, or the intent's own card. Only off_session and return_url are read from `params`."""
        if intent["status"] not in CONFIRMABLE:
            raise _unexpected(intent, "confirmed")
        method_name = method_name or intent["payment_method"]
        if not method_name:
            raise Refusal("You cannot confirm this PaymentIntent because it's missing a payment method.")
        method = self._usable(method_name, intent["customer"])
        intent.update(payment_method=method["id"], last_payment_error=None)
        card = self._cards[method["id"]]
        declines = self._declines.pop(0) if self._declines else card.declines
        asks = card.asks == "always" or (card.asks and method["id"] not in self._set_up)
        if declines or (asks and params.get("off_session")):
            self._decline(intent, declines or "authentication_required")
            raise card_error(declines or "authentication_required", "payment_intent", intent)
        if asks:
            intent.update(status="requires_action", next_action={"type": "use_stripe_sdk", "use_stripe_sdk": {}})
            if params.get("return_url"):
                redirect = {"url": "https://hooks.stripe.test/3d_secure", "return_url": params["return_url"]}
                intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
            self._tell("payment_intent.requires_action", intent)
        elif self._processing:
            self._processing -= 1
            intent["status"] = "processing"
            self._tell("payment_intent.processing", intent)
        else:
            self._take(intent)

    def _take(self, intent: Object) -> None:
        charge = self._charge(intent)
        intent.update(status="succeeded", amount_received=intent["amount"], next_action=None)
        method = self._objects[intent["payment_method"]]
        if intent["setup_future_usage"]:
            self._set_up.add(method["id"])
            if intent["customer"]:
                self._attach(method, intent["customer"])
        if method["customer"] is None:
            self._spent.add(method["id"])
        self._tell("charge.succeeded", charge)
        self._tell("payment_intent.succeeded", intent)

    def _decline(self, intent: Object, code: str, *, with_charge: bool = True) -> None:
        error: Object = card_error(code, "payment_intent").body["error"]
        if code == AUTHENTICATION_FAILED:
            error = {"type": "invalid_request_error", "code": code, "message": "The customer was not authenticated."}
        error["payment_method"] = deepcopy(self._objects[intent["payment_method"]])
        if with_charge:
            self._tell("charge.failed", self._charge(intent, failure_code=error["code"]))
        intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
        self._tell("payment_intent.payment_failed", intent)

    def _charge(self, intent: Object, failure_code: str | None = None) -> Object:
        charge = self._add(
            "charge",
            amount=intent["amount"],
            amount_captured=0 if failure_code else intent["amount"],
            amount_refunded=0,
            currency=intent["currency"],
            status="failed" if failure_code else "succeeded",
            paid=failure_code is None,
            captured=failure_code is None,
            refunded=False,
            disputed=False,
            failure_code=failure_code,
            customer=intent["customer"],
            payment_intent=intent["id"],
            payment_method=intent["payment_method"],
            description=intent["description"],
            metadata=dict(intent["metadata"]),
        )
        intent["latest_charge"] = charge["id"]
        return charge


def _unexpected(intent: Object, wanted: str) -> Refusal:
    message = f"This PaymentIntent could not be {wanted} because it has a status of {intent['status']}."
    return Refusal(message, code=UNEXPECTED, extra={"payment_intent": deepcopy(intent)})


def _check_amount(amount: int, currency: str) -> None:
    if len(currency) != 3 or not currency.islower():
        raise Refusal(f"Invalid currency: {currency}", param="currency")
    if amount < SMALLEST.get(currency, 1):
        raise Refusal("Amount must convert to at least 50 cents.", code="amount_too_small", param="amount")
    if amount > 99_999_999:
        raise Refusal("Amount must be no more than 99999999.", code="amount_too_large", param="amount")
    if (currency in HUNDREDS and amount % 100) or (currency in THREE_DECIMALS and amount % 10):
        raise Refusal(f"Invalid amount for {currency}: {amount}", code="parameter_invalid_integer", param="amount")
