"""A payment service that is silent holds few threads, for a short time, and is then left alone for a while (FLT-13)."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.http import HttpRequest

from igny8_core.auth.models import User
from igny8_core.business.billing.gateways import gateway_of, patience, turnstile
from igny8_core.business.billing.gateways.paypal.settings import PayPalSettings
from igny8_core.business.billing.gateways.protocol import Declined, Unavailable
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings
from igny8_core.business.billing.gateways.turnstile import FAILURES_BEFORE_REST, Places, Turnstile
from igny8_core.common.request_id import begin_request, end_request
from tests import make
from tests.cases import some_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Service:
    """A gateway of which the test says what it does."""

    name = "service"

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    def fetch(self, object_id: str) -> str:
        self.asked += 1
        if self.error:
            raise self.error
        return object_id

    def read_webhook(self, body: bytes) -> bytes:
        return body


@pytest.fixture
def request_now() -> Iterator[None]:
    begin_request("", HttpRequest())
    yield
    end_request()


def refused(service: Turnstile) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        service.fetch("x")
    return caught.value


def test_after_some_failures_in_a_row_nobody_is_sent_there_for_a_while() -> None:
    clock, service = Clock(), Service()
    gate = Turnstile(service, clock)
    service.error = Unavailable("no answer")
    for _ in range(FAILURES_BEFORE_REST):
        refused(gate)

    refusal = refused(gate)

    assert service.asked == FAILURES_BEFORE_REST
    assert (refusal.may_have_happened, refusal.retry_after) == (False, 11)
    assert gate.read_webhook(b"x") == b"x"  # which asks nobody
    clock.now += 10
    refused(gate)  # one finds out
    assert service.asked == FAILURES_BEFORE_REST + 1
    assert refused(gate).retry_after == 21
    assert service.asked == FAILURES_BEFORE_REST + 1
    clock.now += 20
    service.error = None
    assert gate.fetch("x") == "x"
    assert gate.fetch("y") == "y"


@pytest.mark.parametrize("error", [Declined("no"), Unavailable("too many", code="rate_limit")])
def test_a_service_that_refuses_is_there(error: Exception) -> None:
    service = Service()
    gate, service.error = Turnstile(service), error
    for _ in range(3 * FAILURES_BEFORE_REST):
        with pytest.raises(type(error)):
            gate.fetch("x")

    assert service.asked == 3 * FAILURES_BEFORE_REST


def test_while_it_is_tried_again_others_are_refused() -> None:
    clock, service = Clock(), Service()
    gate, service.error = Turnstile(service, clock), Unavailable("no answer")
    for _ in range(FAILURES_BEFORE_REST):
        refused(gate)
    clock.now += 10
    inside, go_on = threading.Event(), threading.Event()

    def slow(object_id: str) -> str:
        inside.set()
        go_on.wait(60)
        return object_id

    service.fetch = slow  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as pool:
        trying = pool.submit(gate.fetch, "x")
        assert inside.wait(60)
        assert refused(gate).code == "resting"
        go_on.set()
        assert trying.result() == "x"
    assert gate.fetch("y") == "y"


def test_half_of_the_threads_may_wait_and_all_others_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(1)
    places.set_threads(8)
    monkeypatch.setattr(turnstile, "PLACES", places)
    go_on, inside = threading.Event(), threading.Semaphore(0)

    class Slow(Service):
        def fetch(self, object_id: str) -> str:
            inside.release()
            go_on.wait(60)
            return object_id

    gates = [Turnstile(Slow()), Turnstile(Slow())]
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(gate.fetch, "x") for gate in gates * 2]
        for _ in waiting:
            assert inside.acquire(timeout=60)
        refusal = refused(gates[0])
        go_on.set()
        assert [done.result() for done in waiting] == ["x"] * 4

    assert (refusal.code, refusal.may_have_happened) == ("crowded", False)
    assert gates[0].fetch("y") == "y"


def test_a_request_waits_fifteen_seconds_for_all_its_questions_together(request_now: None) -> None:
    assert patience.IN_A_REQUEST_SECONDS == 15
    with patience.for_a_call():
        assert patience.timeouts() == pytest.approx((3.05, 15), abs=0.5)
    request = patience.current_request()
    assert request
    request.__dict__["_gateway_seconds"] = 9.0
    with patience.for_a_call():
        assert patience.timeouts()[1] == pytest.approx(6, abs=0.5)
        assert not patience.allows_another_try(pause=5)
    request.__dict__["_gateway_seconds"] = 14.0

    with pytest.raises(Unavailable) as caught, patience.for_a_call():
        pass
    assert caught.value.may_have_happened is False


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.setblocking(False)
        yield listener


def connections_to(listener: socket.socket) -> int:
    """How many clients have connected since this was asked last."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


@pytest.mark.django_db
@pytest.mark.parametrize("method", some_of(["stripe", "paypal"], each=2))
def test_who_pays_at_a_silent_service_is_told_what_to_do(
    method: str, silent: socket.socket, alice: User, as_user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"http://127.0.0.1:{silent.getsockname()[1]}"
    settings.STRIPE = StripeSettings("sk_test_x", "pk_test_x", ("whsec_x",), live=False, api_base=address)
    settings.PAYPAL = PayPalSettings("client", "secret", "webhook", live=False, api_base=address)
    monkeypatch.setattr(patience, "IN_A_REQUEST_SECONDS", 0.6)
    monkeypatch.setattr(patience, "LEAST_SECONDS", 0.3)
    monkeypatch.setattr(turnstile, "RESTS", (600,))
    make.payment_method(payment_method=method)
    client = as_user(alice)
    invoices = [make.invoice(alice.account).pk for _ in range(FAILURES_BEFORE_REST + 1)]
    if method == "stripe":
        alice.account.stripe_customer_id = "cus_1"
        alice.account.save()

    took, answers, asked = [], [], []
    for invoice in invoices:
        path = f"/api/v1/billing/invoices/{invoice}/pay/"
        started = time.monotonic()
        answers.append(client.post(path, {"payment_method": method}, format="json"))
        took.append(time.monotonic() - started)
        asked.append(connections_to(silent))

    assert max(took) < 15  # and not READ_SECONDS
    assert all(asked[:-1])
    assert asked[-1] == 0  # told without anybody being asked
    last = answers[-1]
    assert last.status_code == 503, last.content
    assert int(last["Retry-After"]) > 0
    assert "choose another payment method" in last.json()["message"]


def test_what_a_gateway_has_beside_its_methods_is_reached_through_the_turnstile(stripe: Any) -> None:
    gateway = gateway_of("stripe")

    assert gateway.name == "stripe"
    assert gateway.live is False
    with contextlib.suppress(Unavailable):
        assert gateway is gateway_of("stripe")
