"""The stand-in for PayPal refuses what PayPal would refuse, and can be paid with by a person."""

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
import time_machine

from fake_gateways.loopback import Answer, LoopbackServer, Request
from fake_gateways.paypal_checks import Refusal, check_order, check_refund
from fake_gateways.paypal_events import WebhookSender
from fake_gateways.paypal_fake import FakePayPal
from igny8_core.business.billing.gateways.paypal.signature import SignatureCheck
from tests.gateways.paypal_setup import REFERENCE, Stage, charge_order, on_stage, settings_for

PATIENCE = 60  # seconds; the stand-in is on this machine, which may be busy
UNIT = ("purchase_units", 0)
CONTEXT = ("payment_source", "paypal", "experience_context")
ORDER: dict[str, Any] = {
    "intent": "CAPTURE",
    "purchase_units": [{"custom_id": "r", "invoice_id": "i", "amount": {"currency_code": "USD", "value": "19.99"}}],
    "payment_source": {
        "paypal": {
            "experience_context": {"return_url": "https://shop.example/a", "cancel_url": "https://shop.example/b"}
        }
    },
}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with on_stage() as made:
        yield made


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    body = copy.deepcopy(ORDER)
    inner: Any = body
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return body


def test_a_good_order_is_good() -> None:
    check_order(ORDER)


@pytest.mark.parametrize(
    ("path", "value", "status"),
    [
        (("intent",), "SALE", 400),
        (("purchase_unit",), [], 400),
        (("purchase_units",), [], 400),
        (("payment_source", "card"), {}, 400),
        ((*UNIT, "invoice_number"), "i", 400),
        ((*UNIT, "custom_id"), "x" * 128, 400),
        ((*UNIT, "invoice_id"), "", 400),
        ((*UNIT, "amount"), "19.99", 400),
        ((*UNIT, "amount", "value"), 19.99, 400),
        ((*UNIT, "amount", "value"), "1e3", 400),
        ((*UNIT, "amount", "value"), "19.999", 422),
        ((*UNIT, "amount", "value"), "0.00", 422),
        ((*UNIT, "amount", "value"), "-1.00", 422),
        ((*UNIT, "amount", "currency_code"), "USDX", 400),
        ((*UNIT, "amount", "currency_code"), "PKR", 422),
        ((*UNIT, "amount", "currency_code"), "JPY", 422),
        ((*CONTEXT, "return_url"), "shop.example", 400),
        ((*CONTEXT, "user_action"), "PAY", 400),
        ((*CONTEXT, "retrun_url"), "https://shop.example", 400),
    ],
)
def test_a_wrong_order_is_refused(path: tuple[str | int, ...], value: Any, status: int) -> None:
    with pytest.raises(Refusal) as caught:
        check_order(changed(path, value))

    assert caught.value.status == status


@pytest.mark.parametrize("body", [{"amount": {"value": "1.00"}}, {"custom": "r"}, {"custom_id": ""}])
def test_a_wrong_refund_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        check_refund(body)


def test_an_order_needs_a_request_id() -> None:
    with pytest.raises(Refusal) as caught:
        FakePayPal().create_order(ORDER, "")

    assert caught.value.issue == "PAYPAL_REQUEST_ID_REQUIRED"


def test_a_request_id_is_known_for_six_hours_and_for_one_body() -> None:
    fake = FakePayPal()
    first = fake.create_order(ORDER, "a")

    assert fake.create_order(ORDER, "a") == (200, first[1])
    with pytest.raises(Refusal):
        fake.create_order(changed((*UNIT, "invoice_id"), "j"), "a")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=6, seconds=1)):
        assert fake.create_order(ORDER, "a")[1]["id"] != first[1]["id"]


def test_without_representation_little_comes_back() -> None:
    assert set(FakePayPal().create_order(ORDER, "a", whole=False)[1]) == {"id", "status", "links"}


def test_many_captures_at_once_take_the_money_once(stage: Stage) -> None:
    charge = stage.approved()

    with ThreadPoolExecutor(8) as threads:
        states = list(threads.map(lambda n: stage.gateway.complete(charge.object_id, f"other-{n}").state, range(8)))

    assert set(states) == {"succeeded"}
    assert len(stage.fake.captures_with(REFERENCE)) == 1


def test_a_forgotten_order_is_unknown(stage: Stage) -> None:
    charge = stage.gateway.start(charge_order())
    stage.fake.expire(charge.object_id)

    assert requests.get(charge.approve_url, timeout=PATIENCE).status_code == 404


def test_a_person_approves_on_a_page_and_comes_back(stage: Stage) -> None:
    charge = stage.gateway.start(charge_order(amount="1200", currency="JPY"))

    page = requests.get(charge.approve_url, timeout=PATIENCE)
    answer = requests.post(charge.approve_url, data={"answer": "approve"}, allow_redirects=False, timeout=PATIENCE)

    assert all(text in page.text for text in ("No money moves", "1200 JPY", "INV-1", "Approve", "Cancel"))
    assert answer.status_code == 303
    token = charge.object_id
    assert answer.headers["Location"] == f"https://shop.example/return?token={token}&PayerID=PAYER{token[:8]}"
    assert stage.gateway.fetch(charge.object_id).state == "approved"
    assert "<button" not in requests.get(charge.approve_url, timeout=PATIENCE).text


def test_a_person_cancels_on_a_page_and_comes_back(stage: Stage) -> None:
    charge = stage.gateway.start(charge_order())

    answer = requests.post(charge.approve_url, data={"answer": "cancel"}, allow_redirects=False, timeout=PATIENCE)

    assert answer.headers["Location"] == f"https://shop.example/cancel?from=paypal&token={charge.object_id}"
    assert stage.gateway.fetch(charge.object_id).state == "requires_action"


def test_what_a_seller_calls_an_order_is_no_markup_on_the_page(stage: Stage) -> None:
    charge = stage.gateway.start(charge_order(invoice_number="<script>"))

    assert "<script>" not in requests.get(charge.approve_url, timeout=PATIENCE).text


def test_messages_are_sent_until_they_are_taken(stage: Stage) -> None:
    taken: list[Request] = []

    def take(request: Request) -> Answer:
        taken.append(request)
        return Answer(503 if len(taken) < 3 else 200, b"")

    server = LoopbackServer(take).start()
    sender = WebhookSender(f"{server.address}/webhook", stage.fake.signed, pauses=(0, 0))
    stage.fake.on_event = sender.send
    charge = stage.approved()
    sender.wait()
    server.stop()

    assert len(taken) == 3
    assert len({request.headers["paypal-transmission-id"] for request in taken}) == 1
    SignatureCheck(settings_for(stage.fake.address)).verify(taken[-1].body, taken[-1].headers)
    assert json.loads(taken[-1].body)["resource"]["id"] == charge.object_id


def test_messages_go_nowhere_but_to_this_machine() -> None:
    with pytest.raises(ValueError, match="not on this machine"):
        WebhookSender("https://shop.example/webhook", FakePayPal().signed)


def test_a_listener_may_ask_back(stage: Stage) -> None:
    heard: list[str] = []
    stage.fake.on_event = lambda event: heard.append(stage.gateway.fetch(event["resource"]["id"]).state)

    stage.approved()

    assert heard == ["approved"]


def test_only_a_pending_capture_is_decided(stage: Stage) -> None:
    paid = stage.paid()

    with pytest.raises(ValueError, match="COMPLETED"):
        stage.fake.deny(paid.object_id)


def test_what_is_left_is_refunded_where_no_amount_is_named() -> None:
    fake = FakePayPal()
    order = fake.create_order(ORDER, "a")[1]
    fake.approve(order["id"])
    capture_id = fake.capture_order(order["id"], {}, "b")[1]["purchase_units"][0]["payments"]["captures"][0]["id"]
    fake.refund_in_dashboard(capture_id, Decimal("9.99"))

    assert fake.refund_capture(capture_id, {}, "c")[1]["amount"] == {"currency_code": "USD", "value": "10.00"}
    assert fake.get_capture(capture_id)["status"] == "REFUNDED"
    assert fake.order_with("r").id == order["id"]
