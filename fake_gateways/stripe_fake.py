"""A stand-in for Stripe's API, in the version that our SDK uses. It has Stripe's states and needs no network.

It refuses what Stripe would refuse: parameters that the SDK does not describe, cards of other customers, refunds of
more than is left, and an idempotency key that is used again with other parameters. The parent classes have the
controls for tests.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import stripe

from fake_gateways.stripe_faults import Fault, NoAnswer, NotListening
from fake_gateways.stripe_lists import Lists
from fake_gateways.stripe_old_shapes import OLD_VERSION, in_old_shape
from fake_gateways.stripe_parameters import Invalid, Object, Refusal, checked, none_of, parsed
from fake_gateways.stripe_store import API_VERSION

TEST_KEY = re.compile(r"Bearer (sk|rk)_test_\w+")
KEYS_ARE_KEPT_SECONDS = 24 * 60 * 60
ID = r"([^/]+)"
# Method, path, the SDK's type of the parameters, and the method that answers (or the kind of object to retrieve).
ROUTES = (
    ("POST", "/v1/customers", "CustomerCreateParams", "create_customer"),
    ("GET", f"/v1/customers/{ID}", "CustomerRetrieveParams", "retrieve_customer"),
    ("DELETE", f"/v1/customers/{ID}", "", "delete_customer"),
    ("GET", f"/v1/customers/{ID}/payment_methods", "CustomerPaymentMethodListParams", "list_customer_cards"),
    ("GET", f"/v1/payment_methods/{ID}", "PaymentMethodRetrieveParams", "payment_method"),
    ("POST", f"/v1/payment_methods/{ID}/attach", "PaymentMethodAttachParams", "attach_payment_method"),
    ("POST", f"/v1/payment_methods/{ID}/detach", "PaymentMethodDetachParams", "detach_payment_method"),
    ("POST", "/v1/setup_intents", "SetupIntentCreateParams", "create_setup_intent"),
    ("GET", f"/v1/setup_intents/{ID}", "SetupIntentRetrieveParams", "setup_intent"),
    ("POST", "/v1/payment_intents", "PaymentIntentCreateParams", "create_payment_intent"),
    ("GET", "/v1/payment_intents", "PaymentIntentListParams", "list_payment_intents"),
    ("GET", f"/v1/payment_intents/{ID}", "PaymentIntentRetrieveParams", "payment_intent"),
    ("POST", f"/v1/payment_intents/{ID}/confirm", "PaymentIntentConfirmParams", "confirm_payment_intent"),
    ("POST", f"/v1/payment_intents/{ID}/cancel", "PaymentIntentCancelParams", "cancel_payment_intent"),
    ("GET", f"/v1/charges/{ID}", "ChargeRetrieveParams", "charge"),
    ("POST", "/v1/refunds", "RefundCreateParams", "create_refund"),
    ("GET", "/v1/refunds", "RefundListParams", "list_refunds"),
    ("GET", f"/v1/refunds/{ID}", "RefundRetrieveParams", "refund"),
    ("GET", "/v1/disputes", "DisputeListParams", "list_disputes"),
    ("GET", f"/v1/disputes/{ID}", "DisputeRetrieveParams", "dispute"),
    ("GET", f"/v1/subscriptions/{ID}", "SubscriptionRetrieveParams", "subscription"),
    ("GET", f"/v1/invoices/{ID}", "InvoiceRetrieveParams", "invoice"),
    ("GET", "/v1/invoice_payments", "InvoicePaymentListParams", "list_invoice_payments"),
)


@dataclass(frozen=True)
class Asked:
    """A request as it came. `form` is the query string of a GET or the body of a POST."""

    method: str
    path: str
    form: str
    idempotency_key: str = ""


@dataclass(frozen=True)
class Answered:
    """An answer. `is_final` says whether it is stored for the idempotency key."""

    status: int
    body: Object
    headers: Mapping[str, str] = field(default_factory=dict)
    is_final: bool = True


class FakeStripe(Lists):
    """Stripe's test mode in memory, safe for threads. If `secret_key` is given, no other key is accepted."""

    def __init__(self, secret_key: str = "") -> None:
        super().__init__()
        self._secret_key = secret_key
        self._asked: list[Asked] = []
        self._running: set[str] = set()
        self._answers: dict[str, tuple[float, Asked, Answered]] = {}

    def requests(self, method: str = "", path: str = "") -> list[Asked]:
        """The requests that came, in order, with repeated ones."""
        with self._lock:
            return [asked for asked in self._asked if asked.method.startswith(method) and asked.path.startswith(path)]

    def signed(
        self, event: Object, secret: str, shape: Literal["endive", "2022-11-15"] = "endive", at: int | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the webhook message for an event. `at` is the time of signing (seconds since 1970)."""
        body = json.dumps(in_old_shape(event, self) if shape == OLD_VERSION else event, indent=2)
        signature = stripe.WebhookSignature.generate_signature_header(body, secret, at)
        return body.encode(), {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}

    def request(self, method: str, target: str, headers: Mapping[str, str], body: str = "") -> Answered:
        """Answer a request. `target` is path and query. Raises NoAnswer or NotListening if a test asked for it."""
        path, _, query = target.partition("?")
        headers = {name.lower(): value for name, value in headers.items()}
        fault = self._fault(method, path) or Fault(0, "", "")
        if fault.refused:
            raise NotListening(path)
        key = headers.get("idempotency-key", "") if method == "POST" else ""
        asked = Asked(method, path, body if method == "POST" else query, key)
        with self._lock:
            self._asked.append(asked)
        try:
            self._check(headers)
            answer = self._kept(asked, fault)
        except Refusal as refusal:
            answer = _error(refusal)
        if fault.lost:
            raise NoAnswer(path)
        return answer

    def _check(self, headers: Mapping[str, str]) -> None:
        key, version = headers.get("authorization", ""), headers.get("stripe-version")
        if not TEST_KEY.fullmatch(key) or (self._secret_key and key != f"Bearer {self._secret_key}"):
            raise Invalid("Invalid API Key provided.", status=401)
        if version != API_VERSION:
            raise Invalid(f"This stand-in speaks {API_VERSION}, not {version}.", code="invalid_stripe_version")

    def _kept(self, asked: Asked, fault: Fault) -> Answered:
        """The stored answer of this idempotency key, or a new answer."""
        with self._alone(asked.idempotency_key):
            if fault.status:
                answer = _error(_failure(fault.status), fault)
            else:
                answer = self._remembered(asked) or self._answer(asked)
            if asked.idempotency_key and answer.is_final:
                with self._lock:
                    self._answers.setdefault(asked.idempotency_key, (self.clock(), asked, answer))
            if fault.held:
                fault.held.has_arrived.set()
                fault.held.may_go.wait(60)
            return answer

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        with self._lock:
            if key and key in self._running:
                raise Invalid(
                    "There is currently another in-progress request using this Idempotent Key.",
                    status=409,
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._running.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(key)

    def _remembered(self, asked: Asked) -> Answered | None:
        with self._lock:
            kept_at, first, answer = self._answers.get(asked.idempotency_key, (0, asked, None))
            if answer is None or self.clock() - kept_at > KEYS_ARE_KEPT_SECONDS:
                self._answers.pop(asked.idempotency_key, None)
                return None
        if first.path != asked.path or parsed(first.form) != parsed(asked.form):
            raise Invalid(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
                kind="idempotency_error",
            )
        return Answered(answer.status, answer.body, {**answer.headers, "Idempotent-Replayed": "true"})

    def _answer(self, asked: Asked) -> Answered:
        try:
            with self._changing():
                return self._routed(asked)
        except Refusal as refusal:
            return _error(refusal)

    def _routed(self, asked: Asked) -> Answered:
        for method, pattern, type_name, name in ROUTES:
            match = re.fullmatch(pattern, asked.path)
            if match and method == asked.method:
                params = checked(parsed(asked.form), type_name) if type_name else none_of(parsed(asked.form))
                paths = params.pop("expand", [])
                handler: Any = getattr(self, name, None) or partial(self.retrieve, name)
                return Answered(200, self.expanded(handler(*match.groups(), params), paths), _request_id())
        raise Invalid(f"Unrecognized request URL ({asked.method}: {asked.path}).", status=404)


def _request_id() -> dict[str, str]:
    return {"Request-Id": f"req_{secrets.token_hex(7)}"}


def _failure(status: int) -> Refusal:
    kind = "invalid_request_error" if status < 500 else "api_error"
    return Refusal("As the test wanted it.", status=status, kind=kind, code="rate_limit" if status == 429 else "")


def _error(refusal: Refusal, fault: Fault | None = None) -> Answered:
    headers = _request_id()
    is_final = not isinstance(refusal, Invalid)
    if fault:
        is_final = fault.is_stored and refusal.status >= 500
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
    return Answered(refusal.status, refusal.body, headers, is_final)
