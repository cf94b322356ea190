"""What PayPal's messages are about: ids only, in all the places where PayPal puts them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from fake_gateways.paypal_fake import FakePayPal
from igny8_core.business.billing.gateways.paypal.messages import read
from igny8_core.business.billing.gateways.protocol import ChargeState
from tests.gateways.paypal_setup import REFERENCE, Stage, on_stage

ORDER, CAPTURE, REFUND, DISPUTE = "5O190127TN364715T", "3C679366HH908993F", "1JU08902781691411", "PP-D-27803"
API = "https://api-m.paypal.example/v2"
UP_TO_ORDER = {"links": [{"rel": "up", "href": f"{API}/checkout/orders/{ORDER}"}]}
UP_TO_CAPTURE = {"links": [{"rel": "up", "href": f"{API}/payments/captures/{CAPTURE}"}]}
UP_TO_AUTHORIZATION = {"links": [{"rel": "up", "href": f"{API}/payments/authorizations/0AW2184448108334S"}]}
NAMES_ORDER = {"supplementary_data": {"related_ids": {"order_id": ORDER}}}
HOLDS_CAPTURE = {"purchase_units": [{"payments": {"captures": [{"id": CAPTURE}]}}]}
NAMES_CAPTURE = {"disputed_transactions": [{"seller_transaction_id": CAPTURE}]}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with on_stage() as made:
        yield made


def event(event_type: str, resource_type: str, resource: dict[str, Any], **more: Any) -> bytes:
    envelope = {
        "id": "WH-58D329510W468432D-8HN650336L201105X",
        "create_time": "2026-11-25T21:41:28.032Z",
        "event_type": event_type,
        "resource_type": resource_type,
        "resource_version": "2.0",
        "resource": resource,
        "new_key": [],
    }
    return json.dumps({**envelope, **more}).encode()


@pytest.mark.parametrize(
    ("event_type", "resource_type", "resource", "related"),
    [
        ("CHECKOUT.ORDER.APPROVED", "checkout-order", {"id": ORDER}, {"order": ORDER}),
        (
            "CHECKOUT.ORDER.APPROVED",
            "checkout-order",
            {"id": ORDER, **HOLDS_CAPTURE},
            {"order": ORDER, "capture": CAPTURE},
        ),
        (
            "PAYMENT.CAPTURE.COMPLETED",
            "capture",
            {"id": CAPTURE, **NAMES_ORDER},
            {"capture": CAPTURE, "order": ORDER},
        ),
        ("PAYMENT.CAPTURE.DENIED", "capture", {"id": CAPTURE, **UP_TO_ORDER}, {"capture": CAPTURE, "order": ORDER}),
        ("PAYMENT.CAPTURE.DECLINED", "capture", {"id": CAPTURE, **UP_TO_AUTHORIZATION}, {"capture": CAPTURE}),
        ("PAYMENT.CAPTURE.PENDING", "capture", {"id": CAPTURE}, {"capture": CAPTURE}),
        ("PAYMENT.CAPTURE.REFUNDED", "refund", {"id": REFUND, **UP_TO_CAPTURE}, {"refund": REFUND, "capture": CAPTURE}),
        ("PAYMENT.CAPTURE.REVERSED", "refund", {"id": REFUND, **UP_TO_CAPTURE}, {"refund": REFUND, "capture": CAPTURE}),
        ("PAYMENT.CAPTURE.REVERSED", "capture", {"id": CAPTURE, **NAMES_ORDER}, {"capture": CAPTURE, "order": ORDER}),
        ("CHECKOUT.PAYMENT-APPROVAL.REVERSED", "payment-approval", {"order_id": ORDER}, {"order": ORDER}),
        (
            "CUSTOMER.DISPUTE.CREATED",
            "dispute",
            {"dispute_id": DISPUTE, **NAMES_CAPTURE},
            {"dispute": DISPUTE, "capture": CAPTURE},
        ),
        ("CUSTOMER.DISPUTE.RESOLVED", "dispute", {"dispute_id": DISPUTE}, {"dispute": DISPUTE}),
        ("SOMETHING.NEW", "something", {"id": "I-1234567"}, {}),
    ],
)
def test_an_event_names_its_objects(
    event_type: str, resource_type: str, resource: dict[str, Any], related: dict[str, str]
) -> None:
    message = read(event(event_type, resource_type, resource))

    assert dict(message.related) == related
    assert message.object_id == (resource.get("dispute_id") or resource.get("id") or ORDER)
    assert (message.event_id, message.type) == ("WH-58D329510W468432D-8HN650336L201105X", event_type)
    assert (message.live, message.api_version) == (None, "2.0")
    assert message.created_at == datetime(2026, 11, 25, 21, 41, 28, 32000, UTC)


@pytest.mark.parametrize(
    "resource",
    [
        {"id": "../../v1/oauth2/token"},
        {"id": 5},
        {"id": CAPTURE, "supplementary_data": [], "links": {}},
        {"id": CAPTURE, "supplementary_data": {"related_ids": {"order_id": "a/b"}}, "links": [None, {"rel": "up"}]},
        {},
    ],
)
def test_what_is_no_id_is_not_passed_on(resource: dict[str, Any]) -> None:
    message = read(event("PAYMENT.CAPTURE.COMPLETED", "capture", resource))

    assert set(message.related.values()) <= {CAPTURE}
    assert message.object_id in {"", CAPTURE}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b'"WH-1"',
        b"{",
        b"{}",
        b"[" * 100_000,
        b'{"id": "WH-1", "event_type": "A.B", "resource": []}',
        event("A.B", "capture", {}, id=5),
        event("A.B", "capture", {}, id="WH 1"),
        event("A.B", "capture", {}, id="W" * 101),
        event("a b", "capture", {}),
        b'{"id": "WH-1", "event_type": null, "resource": {}}',
    ],
)
def test_junk_is_no_message(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (all kinds of it)
        read(body)


@pytest.mark.parametrize("created", [None, 5, "", "yesterday", "2026-11-25T21:41:28"])
def test_a_time_that_cannot_be_read_is_left_out(created: Any) -> None:
    assert read(event("A.B", "capture", {}, create_time=created)).created_at is None


@pytest.mark.parametrize("name", ["PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED"])
def test_a_refusal_has_two_names_and_one_meaning(stage: Stage, name: str) -> None:
    stage.fake.denied_event = name
    charge = stage.approved()
    stage.fake.hold_capture(charge.object_id)
    stage.gateway.complete(charge.object_id, REFERENCE)
    stage.fake.deny(charge.object_id)

    (told,) = stage.fake.events(name)
    message = read(stage.fake.signed(told)[0])

    assert stage.gateway.fetch(message.related["order"]).state == ChargeState.DECLINED


def test_the_stand_in_tells_a_payment_from_approval_to_dispute(stage: Stage) -> None:
    paid = stage.paid()
    stage.fake.refund_in_dashboard(paid.capture_id, paid.amount / 2)
    stage.fake.close_dispute(stage.fake.open_dispute(paid.capture_id))

    messages = [read(stage.fake.signed(told)[0]) for told in stage.fake.events()]

    assert [message.type for message in messages] == [
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.CAPTURE.COMPLETED",
        "PAYMENT.CAPTURE.REFUNDED",
        "CUSTOMER.DISPUTE.CREATED",
        "PAYMENT.CAPTURE.REVERSED",
        "CUSTOMER.DISPUTE.RESOLVED",
    ]
    assert {message.related.get("capture", paid.capture_id) for message in messages} == {paid.capture_id}
    assert len({message.event_id for message in messages}) == 6


def test_signing_one_event_again_gives_another_delivery() -> None:
    fake = FakePayPal()

    first, again = (fake.signed({"id": "WH-1"})[1] for _ in range(2))

    assert first["paypal-transmission-id"] != again["paypal-transmission-id"]
