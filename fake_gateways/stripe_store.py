"""The data of the stand-in for Stripe: objects by their id, and the events about them."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy

from fake_gateways.stripe_cards import TestCard
from fake_gateways.stripe_parameters import Object, Refusal

API_VERSION = "2026-10-28.endive"
# The kinds of objects, each with the prefix of its ids.
PREFIXES = {
    "customer": "cus",
    "payment_method": "pm",
    "payment_intent": "pi",
    "setup_intent": "seti",
    "charge": "ch",
    "refund": "re",
    "dispute": "du",
    "subscription": "sub",
    "subscription_item": "si",
    "invoice": "in",
    "line_item": "il",
    "invoice_payment": "inpay",
    "event": "evt",
}


class Store:
    """Objects and events under one lock. `on_event` is called with each new event, after the lock is released."""

    def __init__(self) -> None:
        self.on_event: Callable[[Object], None] | None = None
        # Seconds since 1970. A simulation has a time of its own.
        self.clock: Callable[[], float] = time.time
        self._lock = threading.RLock()
        self._depth = 0
        self._objects: dict[str, Object] = {}
        self._events: list[Object] = []
        self._unheard: list[Object] = []
        self._cards: dict[str, TestCard] = {}
        self._set_up: set[str] = set()
        self._spent: set[str] = set()
        self._declines: list[str] = []
        self._processing = 0

    def all(self, kind: str) -> list[Object]:
        """Copies of all objects of a kind ("charge", "payment_intent", …), oldest first."""
        with self._lock:
            return [deepcopy(thing) for thing in self._objects.values() if thing["object"] == kind]

    def one(self, object_id: str) -> Object:
        """A copy of an object. Raises KeyError."""
        with self._lock:
            return deepcopy(self._objects[object_id])

    def with_secret(self, client_secret: str) -> Object:
        """A copy of the PaymentIntent or SetupIntent with this client secret. Raises KeyError."""
        with self._lock:
            for thing in self._objects.values():
                if client_secret and thing.get("client_secret") == client_secret:
                    return deepcopy(thing)
        raise KeyError(client_secret)

    def events(self, type_: str = "") -> list[Object]:
        """Copies of all events, or those of one type, in the order in which they happened."""
        with self._lock:
            return [deepcopy(event) for event in self._events if type_ in ("", event["type"])]

    def charges_count(self, reference: str = "") -> int:
        """How many charges took money, in all or for one of our payments."""
        return sum(
            charge["paid"] and reference in ("", charge["metadata"].get("payment_id", ""))
            for charge in self.all("charge")
        )

    @contextmanager
    def _changing(self) -> Iterator[None]:
        told: list[Object] = []
        try:
            with self._lock:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                    if not self._depth:
                        told, self._unheard = self._unheard, []
        finally:
            # Also after a refusal, because a declined card has events too.
            for event in told:
                if self.on_event:
                    self.on_event(event)

    def _add(self, kind: str, **values: object) -> Object:
        thing: Object = {
            "id": f"{PREFIXES[kind]}_{secrets.token_hex(12)}",
            "object": kind,
            "created": int(self.clock()),
            "livemode": False,
            **values,
        }
        self._objects[thing["id"]] = thing
        return thing

    def _tell(self, type_: str, thing: Object, before: Object | None = None) -> None:
        data: Object = {"object": deepcopy(thing)}
        if before is not None:
            data["previous_attributes"] = before
        event: Object = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": API_VERSION,
            "created": int(self.clock()),
            "livemode": False,
            "type": type_,
            "data": data,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
        }
        self._events.append(event)
        self._unheard.append(deepcopy(event))

    def _existing(self, kind: str, object_id: str, param: str = "", status: int = 404) -> Object:
        thing = self._objects.get(object_id)
        # A deleted customer can be read, and is unknown to everything else.
        if thing is None or thing["object"] != kind or thing.get("deleted"):
            raise Refusal(f"No such {kind}: '{object_id}'", status=status, code="resource_missing", param=param or "id")
        return thing

    def _named(self, kind: str, object_id: str, param: str) -> Object:
        """The object that a parameter names. If it does not exist, the answer is 400, not 404."""
        return self._existing(kind, object_id, param, status=400)
