"""Orders of PayPal: begun once, captured once, and believed only as far as their capture says."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from fake_gateways.loopback import Answer
from igny8_core.business.billing.gateways.protocol import (
    Charge,
    ChargeState,
    Declined,
    Misconfigured,
    Unavailable,
    UnknownObject,
)
from tests.gateways.paypal_setup import REFERENCE, Stage, answering, charge_order, on_stage, refund_order

REFUSALS = [
    "COMPLIANCE_VIOLATION",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "PAYER_ACCOUNT_RESTRICTED",
    "PAYER_CANNOT_PAY",
    "TRANSACTION_LIMIT_EXCEEDED",
    "TRANSACTION_REFUSED",
]


@pytest.fixture
def stage() -> Iterator[Stage]:
    with on_stage() as made:
        yield made


def order_json(status: str, captures: list[dict[str, Any]] | None = None, **more: Any) -> Answer:
    unit: dict[str, Any] = {"custom_id": REFERENCE, "amount": {"currency_code": "USD", "value": "19.99"}}
    if captures is not None:
        unit["payments"] = {"captures": captures}
    body = {"new_key": {}, "purchase_units": [unit], "status": status, "id": "5O190127TN364715T", **more}
    return Answer(200, json.dumps(body).encode())


def capture_json(status: str) -> dict[str, Any]:
    return {"id": "3C679366HH908993F", "status": status, "amount": {"value": "19.99", "currency_code": "USD"}}


def test_an_order_asks_for_what_the_invoice_says(stage: Stage) -> None:
    charge = stage.gateway.start(charge_order())

    assert json.loads(stage.fake.troubles.requests[-1].body) == {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "reference_id": REFERENCE,
                "custom_id": REFERENCE,
                "invoice_id": "INV-1",
                "amount": {"currency_code": "USD", "value": "19.99"},
            }
        ],
        "payment_source": {
            "paypal": {
                "experience_context": {
                    "return_url": "https://shop.example/return",
                    "cancel_url": "https://shop.example/cancel?from=paypal",
                    "user_action": "PAY_NOW",
                    "shipping_preference": "NO_SHIPPING",
                }
            }
        },
    }
    assert stage.fake.troubles.requests[-1].headers["paypal-request-id"] == f"pay-{REFERENCE}-create"
    assert charge.state == ChargeState.REQUIRES_ACTION
    assert (charge.amount, charge.currency, charge.reference) == (Decimal("19.99"), "USD", REFERENCE)
    assert charge.approve_url == f"{stage.fake.address}/checkoutnow?token={charge.object_id}"


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [
        ("1200", "JPY", "1200"),
        ("1200.00", "JPY", "1200"),
        ("7", "HUF", "7"),
        ("30.0", "TWD", "30"),
        ("9", "EUR", "9.00"),
    ],
)
def test_an_amount_has_the_decimals_that_paypal_wants(stage: Stage, amount: str, currency: str, sent: str) -> None:
    charge = stage.gateway.start(charge_order(amount=amount, currency=currency))

    unit = json.loads(stage.fake.troubles.requests[-1].body)["purchase_units"][0]
    assert unit["amount"] == {"currency_code": currency, "value": sent}
    assert charge.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "currency"), [("19.99", "PKR"), ("1.500", "KWD"), ("1.50", "HUF"), ("1.005", "USD")]
)
def test_an_amount_that_paypal_does_not_take_is_not_sent(stage: Stage, amount: str, currency: str) -> None:
    with pytest.raises(Misconfigured):
        stage.gateway.start(charge_order(amount=amount, currency=currency))

    assert stage.fake.troubles.requests == []


@pytest.mark.parametrize("relation", ["approve", "payer-action"])
def test_both_names_of_the_approve_link_are_read(relation: str) -> None:
    links = [{"rel": "self", "href": "https://elsewhere.example"}, {"rel": relation, "href": "https://paypal.example"}]
    with answering(order_json("CREATED", links=links)) as (gateway, _):
        assert gateway.start(charge_order()).approve_url == "https://paypal.example"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("CREATED", ChargeState.REQUIRES_ACTION),
        ("SAVED", ChargeState.REQUIRES_ACTION),
        ("PAYER_ACTION_REQUIRED", ChargeState.REQUIRES_ACTION),
        ("APPROVED", ChargeState.APPROVED),
        ("VOIDED", ChargeState.CANCELED),
        ("COMPLETED", ChargeState.UNKNOWN),
        ("SOMETHING_NEW", ChargeState.UNKNOWN),
    ],
)
def test_an_order_without_a_capture_took_no_money(status: str, state: ChargeState) -> None:
    with answering(order_json(status)) as (gateway, _):
        charge = gateway.fetch("5O190127TN364715T")

    assert (charge.state, charge.raw_status) == (state, status)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("COMPLETED", ChargeState.SUCCEEDED),
        ("PARTIALLY_REFUNDED", ChargeState.SUCCEEDED),
        ("REFUNDED", ChargeState.SUCCEEDED),
        ("PENDING", ChargeState.PROCESSING),
        ("DECLINED", ChargeState.DECLINED),
        ("FAILED", ChargeState.DECLINED),
        ("SOMETHING_NEW", ChargeState.UNKNOWN),
    ],
)
def test_a_completed_order_is_what_its_capture_is(status: str, state: ChargeState) -> None:
    with answering(order_json("COMPLETED", [capture_json(status)])) as (gateway, _):
        charge = gateway.fetch("5O190127TN364715T")

    assert (charge.state, charge.capture_id, charge.reference) == (state, "3C679366HH908993F", REFERENCE)
    assert charge.refunded == (Decimal("19.99") if status == "REFUNDED" else 0)
    assert bool(charge.failure_text) == (state == ChargeState.DECLINED)


def test_money_taken_counts_more_than_an_earlier_refusal() -> None:
    captures = [capture_json("DECLINED"), capture_json("COMPLETED")]
    with answering(order_json("COMPLETED", captures)) as (gateway, _):
        assert gateway.fetch("5O190127TN364715T").state == ChargeState.SUCCEEDED


def test_a_refused_capture_of_an_open_order_leaves_it_open() -> None:
    with answering(order_json("PAYER_ACTION_REQUIRED", [capture_json("DECLINED")])) as (gateway, _):
        assert gateway.fetch("5O190127TN364715T").state == ChargeState.REQUIRES_ACTION


@pytest.mark.parametrize("amount", [None, {}, {"value": 19.99, "currency_code": "USD"}, {"value": "NaN"}, "19.99"])
def test_an_amount_that_cannot_be_read_is_never_guessed(amount: Any) -> None:
    capture = capture_json("COMPLETED") | {"amount": amount}
    with answering(order_json("COMPLETED", [capture])) as (gateway, _), pytest.raises(Unavailable):
        gateway.fetch("5O190127TN364715T")


def test_an_unknown_order_is_unknown(stage: Stage) -> None:
    with pytest.raises(UnknownObject):
        stage.gateway.fetch("5O190127TN364715T")


def test_an_approved_order_is_captured(stage: Stage) -> None:
    charge = stage.approved()
    assert stage.gateway.fetch(charge.object_id).state == ChargeState.APPROVED

    paid = stage.gateway.complete(charge.object_id, REFERENCE)

    assert (paid.state, paid.amount, paid.currency) == (ChargeState.SUCCEEDED, Decimal("19.99"), "USD")
    assert (paid.object_id, paid.reference, paid.live) == (charge.object_id, REFERENCE, False)
    assert paid.capture_id in stage.fake.captures
    assert stage.fake.troubles.requests[-1].headers["paypal-request-id"] == f"pay-{REFERENCE}-capture"


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_answer_to_a_capture_takes_the_money_once(stage: Stage, lost: int) -> None:
    charge = stage.approved()
    stage.fake.troubles.hang_up_after("/capture", times=lost)

    paid = stage.gateway.complete(charge.object_id, REFERENCE)

    assert paid.state == ChargeState.SUCCEEDED
    assert [capture.id for capture in stage.fake.captures_with(REFERENCE)] == [paid.capture_id]


def test_a_capture_without_any_answer_may_have_happened_and_is_found_later(stage: Stage) -> None:
    charge = stage.approved()
    stage.fake.troubles.answer_next(500, "/capture", times=3, after_effect=True)

    with pytest.raises(Unavailable) as caught:
        stage.gateway.complete(charge.object_id, REFERENCE)

    assert caught.value.may_have_happened
    assert stage.gateway.complete(charge.object_id, REFERENCE).state == ChargeState.SUCCEEDED
    assert len(stage.fake.captures_with(REFERENCE)) == 1


def test_an_order_captured_by_another_request_is_read(stage: Stage) -> None:
    paid = stage.paid()

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=7)):
        again = stage.gateway.complete(paid.object_id, REFERENCE)

    assert again == paid
    assert stage.fake.troubles.requests[-1].method == "GET"


def test_an_order_that_nobody_approved_asks_for_the_payer(stage: Stage) -> None:
    started = stage.gateway.start(charge_order())

    assert stage.gateway.complete(started.object_id, REFERENCE) == started


def test_an_approved_order_that_needs_the_payer_again_says_where(stage: Stage) -> None:
    charge = stage.approved()
    stage.fake.decline_next_capture("PAYER_ACTION_REQUIRED")

    again = stage.gateway.complete(charge.object_id, REFERENCE)

    assert again.state == ChargeState.REQUIRES_ACTION
    assert again.approve_url == f"{stage.fake.address}/checkoutnow?token={charge.object_id}"


def test_a_declined_way_to_pay_lets_the_payer_choose_another(stage: Stage) -> None:
    charge = stage.approved()
    stage.fake.decline_next_capture("INSTRUMENT_DECLINED")

    declined = stage.gateway.complete(charge.object_id, REFERENCE)

    assert declined.state == ChargeState.REQUIRES_ACTION
    assert declined.approve_url == charge.approve_url
    assert declined.failure_code == "INSTRUMENT_DECLINED"
    assert declined.failure_text

    stage.fake.approve(charge.object_id)
    assert stage.gateway.complete(charge.object_id, REFERENCE).state == ChargeState.SUCCEEDED


@pytest.mark.parametrize("issue", REFUSALS)
def test_a_refused_capture_is_a_final_no(stage: Stage, issue: str) -> None:
    charge = stage.approved()
    stage.fake.decline_next_capture(issue)

    with pytest.raises(Declined) as caught:
        stage.gateway.complete(charge.object_id, REFERENCE)

    assert (caught.value.code, bool(caught.value.request_id)) == (issue, True)
    assert stage.fake.captures_with(REFERENCE) == []


def test_a_second_order_of_a_paid_invoice_takes_nothing(stage: Stage) -> None:
    stage.paid()
    second = stage.approved(charge_order(reference="another"))

    with pytest.raises(Declined) as caught:
        stage.gateway.complete(second.object_id, "another")

    assert caught.value.code == "DUPLICATE_INVOICE_ID"
    assert stage.fake.captures_with("another") == []


def test_an_issue_that_we_do_not_know_is_for_a_developer(stage: Stage) -> None:
    charge = stage.approved()
    stage.fake.decline_next_capture("SOMETHING_NEW")

    with pytest.raises(Misconfigured) as caught:
        stage.gateway.complete(charge.object_id, REFERENCE)

    assert caught.value.code == "SOMETHING_NEW"


def test_a_capture_under_way_is_asked_again_later(stage: Stage) -> None:
    charge = stage.approved()
    stage.fake.decline_next_capture("PREVIOUS_REQUEST_IN_PROGRESS")

    with pytest.raises(Unavailable):
        stage.gateway.complete(charge.object_id, REFERENCE)


@pytest.mark.parametrize(("ending", "state"), [("release", ChargeState.SUCCEEDED), ("deny", ChargeState.DECLINED)])
def test_a_pending_capture_is_decided_later(stage: Stage, ending: str, state: ChargeState) -> None:
    charge = stage.approved()
    stage.fake.hold_capture(charge.object_id)

    pending = stage.gateway.complete(charge.object_id, REFERENCE)
    getattr(stage.fake, ending)(charge.object_id)

    assert (pending.state, pending.raw_status) == (ChargeState.PROCESSING, "PENDING PENDING_REVIEW")
    assert stage.gateway.fetch(charge.object_id).state == state


def test_a_lost_create_is_found_by_the_same_request(stage: Stage) -> None:
    order = charge_order()
    stage.fake.troubles.hang_up_after("/orders", times=3)
    with pytest.raises(Unavailable):
        stage.gateway.start(order)

    found = stage.gateway.find(order, datetime.now(UTC) - timedelta(hours=5))

    assert found is not None
    assert list(stage.fake.orders) == [found.object_id]


def test_after_six_hours_nothing_is_found_and_nothing_is_made(stage: Stage) -> None:
    assert stage.gateway.find(charge_order(), datetime.now(UTC) - timedelta(hours=6)) is None
    assert stage.fake.orders == {}


def test_cancelling_tells_what_the_order_is(stage: Stage) -> None:
    started: Charge = stage.gateway.start(charge_order())
    assert stage.gateway.cancel(started.object_id) == started

    stage.fake.approve(started.object_id)
    stage.gateway.complete(started.object_id, REFERENCE)

    assert stage.gateway.cancel(started.object_id).state == ChargeState.SUCCEEDED


def test_there_is_no_list_of_orders(stage: Stage) -> None:
    stage.paid()

    assert list(stage.gateway.recent(datetime.now(UTC) - timedelta(days=1))) == []


def test_what_went_back_is_summed(stage: Stage) -> None:
    paid = stage.paid()
    stage.gateway.refund(refund_order(paid, "5.00"))
    stage.fake.refund_in_dashboard(paid.capture_id, Decimal("2.50"))

    charge = stage.gateway.fetch(paid.object_id)

    assert (charge.state, charge.amount, charge.refunded) == (ChargeState.SUCCEEDED, paid.amount, Decimal("7.50"))
