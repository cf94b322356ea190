"""Webhook messages of the stand-in for PayPal: kept for tests, signed, and sent to one address on this machine."""

import json
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests

from fake_gateways.paypal_checks import Json
from fake_gateways.paypal_objects import written
from fake_gateways.paypal_signing import Signer

RESOURCE_TYPES = {"CHECKOUT": "checkout-order", "PAYMENT": "capture", "CUSTOMER": "dispute"}


class Announcements:
    """The events of a stand-in. `on_event` is called with each event after its change is complete.

    `address` is where receivers fetch the certificates. `webhook_id` names the webhook that messages are signed for.
    """

    def __init__(self, webhook_id: str) -> None:
        self.webhook_id = webhook_id
        self.address = "http://127.0.0.1"
        self.signer = Signer()
        self.on_event: Callable[[Json], None] | None = None
        self._lock = threading.RLock()
        self._events: list[Json] = []
        self._untold: list[Json] = []

    def events(self, event_type: str = "") -> list[Json]:
        """All events, or those of one type, oldest first."""
        with self._lock:
            return [event for event in self._events if event_type in {"", event["event_type"]}]

    def signed(self, event: Json, *, signer: Signer | None = None) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the webhook message for an event. Each call makes a new transmission id."""
        body = json.dumps(event).encode()
        return body, (signer or self.signer).headers(body, self.webhook_id, self.address, written(time.time()))

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Make one change at a time. Its events are sent afterwards, so that a listener can call the stand-in again."""
        with self._lock:
            try:
                yield
            finally:
                told, self._untold = self._untold, []
        for event in told if self.on_event else []:
            self.on_event(event)  # type: ignore[misc]

    def _announce(self, event_type: str, resource: Json, resource_type: str = "") -> None:
        event_id = f"WH-{uuid.uuid4().hex[:17].upper()}-{uuid.uuid4().hex[:17].upper()}"
        event = {
            "id": event_id,
            "event_version": "1.0",
            "resource_version": "2.0",
            "create_time": written(time.time()),
            "resource_type": resource_type or RESOURCE_TYPES[event_type.partition(".")[0]],
            "event_type": event_type,
            "summary": "Told by the stand-in for PayPal",
            "resource": resource,
            "links": [{"href": f"{self.address}/v1/notifications/webhooks-events/{event_id}", "rel": "self"}],
        }
        self._events.append(event)
        self._untold.append(event)


class WebhookSender:
    """Posts events to `url` on this machine from its own thread. Use it as `fake.on_event = sender.send`.

    If the answer is not 2xx, the event is sent again with the same headers, after each of `pauses` (seconds).
    """

    def __init__(
        self,
        url: str,
        sign: Callable[[Json], tuple[bytes, Mapping[str, str]]],
        pauses: Sequence[float] = (0.5, 2, 5),
    ) -> None:
        if urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError(f"{url!r} is not on this machine")
        self._url = url
        self._sign = sign
        self._pauses = pauses
        self._waiting: queue.Queue[Json] = queue.Queue()
        threading.Thread(target=self._work, daemon=True).start()

    def send(self, event: Json) -> None:
        """Queue an event for sending, and return at once."""
        self._waiting.put(event)

    def wait(self) -> None:
        """Wait until each event was sent or given up."""
        self._waiting.join()

    def _work(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while True:
                event = self._waiting.get()
                body, headers = self._sign(event)
                for pause in (*self._pauses, 0):
                    if self._was_taken(session, body, headers):
                        break
                    time.sleep(pause)
                self._waiting.task_done()

    def _was_taken(self, session: requests.Session, body: bytes, headers: Mapping[str, str]) -> bool:
        sent = {**headers, "Content-Type": "application/json"}
        try:
            return session.post(self._url, data=body, headers=sent, timeout=10, allow_redirects=False).ok
        except requests.RequestException:
            return False
