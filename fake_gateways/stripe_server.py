"""The stand-in for Stripe over HTTP on this machine: its API, the payment page and its webhook messages."""

import json
import queue
import threading
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import stripe

from fake_gateways.loopback import Answer, HangUp, LoopbackServer, Request
from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_faults import NoAnswer, NotListening
from fake_gateways.stripe_page import address_after, page_of
from fake_gateways.stripe_parameters import Object, Refusal

PAY_PATH = "/fake/stripe/pay"
# Ignores any proxy that the environment names.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
WAITING = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})


def serve(fake: FakeStripe, port: int = 0) -> LoopbackServer:
    """Serve `fake` on a port of 127.0.0.1 until `stop`. Port 0 means any free port.

    The API is at the server's address. {address}/fake/stripe/pay?client_secret=…&return_url=… replaces Stripe.js.
    """

    def handle(request: Request) -> Answer:
        if urlsplit(request.path).path == PAY_PATH:
            return _pay(fake, request)
        try:
            answer = fake.request(request.method, request.path, request.headers, request.body.decode())
        except (NoAnswer, NotListening):
            raise HangUp from None
        return Answer(answer.status, json.dumps(answer.body).encode(), headers=answer.headers)

    return LoopbackServer(handle, port).start()


def _pay(fake: FakeStripe, request: Request) -> Answer:
    asked = parse_qs(urlsplit(request.path).query)
    client_secret, return_url = asked.get("client_secret", [""])[0], asked.get("return_url", [""])[0]
    try:
        thing = fake.with_secret(client_secret)
    except KeyError:
        return _html(404, page_of(None, ""))
    if request.method == "POST" and thing["status"] in WAITING:
        try:
            thing = _moved(fake, thing, parse_qs(request.body.decode()))
        except Refusal:  # The customer went on in another tab, or the card does not exist.
            thing = fake.with_secret(client_secret)
        back = address_after(thing, return_url)
        if thing["status"] not in WAITING and back:
            return Answer(303, b"", "text/html; charset=utf-8", {"Location": back})
    return _html(200, page_of(thing, address_after(thing, return_url)))


def _moved(fake: FakeStripe, thing: Object, form: dict[str, list[str]]) -> Object:
    if thing["status"] != "requires_action":
        return fake.pay_in_browser(thing["client_secret"], form.get("card", ["pm_card_visa"])[0])
    if form.get("answer") == ["approve"]:
        return fake.authenticate(thing["id"])
    return fake.fail_authentication(thing["id"])


def _html(status: int, page: str) -> Answer:
    return Answer(status, page.encode(), "text/html; charset=utf-8")


class WebhookSender:
    """Posts signed events in order to an address on this machine, from its own thread.

    Use it as `fake.on_event = WebhookSender(url, secret)`. If the answer is not 2xx, it is sent a few more times.
    """

    PAUSES_IN_SECONDS = (0.2, 1, 3, 10)

    def __init__(self, url: str, secret: str) -> None:
        if urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError("The stand-in sends webhook messages only to this machine.")
        self._url = url
        self._secret = secret
        self._waiting: queue.Queue[Object | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __call__(self, event: Object) -> None:
        """Queue an event for sending, and return at once."""
        self._waiting.put(event)

    def stop(self) -> None:
        """Send the waiting events, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            for pause in (*self.PAUSES_IN_SECONDS, None):
                if self._is_taken(json.dumps(event, indent=2)) or pause is None:
                    break
                time.sleep(pause)

    def _is_taken(self, body: str) -> bool:
        signature = stripe.WebhookSignature.generate_signature_header(body, self._secret)
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
        message = urllib.request.Request(self._url, body.encode(), headers)
        try:
            with DIRECTLY.open(message, timeout=10) as answer:
                return 200 <= int(answer.status) < 300
        except (urllib.error.URLError, OSError):
            return False
