"""Money that goes back through PayPal, whoever ordered it, and payers' complaints."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from fake_gateways.loopback import Answer
from igny8_core.business.billing.gateways.protocol import ChargeState, Declined, RefundState, Unavailable, UnknownObject
from tests.gateways.paypal_setup import (
    REFERENCE,
    REFUND_REFERENCE,
    Stage,
    answering,
    charge_order,
    on_stage,
    refund_order,
)

CAPTURE = {
    "id": "3C679366HH908993F",
    "status": "COMPLETED",
    "custom_id": REFERENCE,
    "amount": {"currency_code": "USD", "value": "19.99"},
}
AUTHORIZATION_LINK = {"rel": "up", "href": "https://api-m.paypal.example/v2/payments/authorizations/0AW2184448108334S"}
ORDER_LINK = {"rel": "up", "href": "https://api-m.paypal.example/v2/checkout/orders/5O190127TN364715T"}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with on_stage() as made:
        yield made


def answer(body: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode())


def test_a_refund_carries_our_reference(stage: Stage) -> None:
    paid = stage.paid()

    refund = stage.gateway.refund(refund_order(paid, "5"))

    assert json.loads(stage.fake.troubles.requests[-1].body) == {
        "amount": {"currency_code": "USD", "value": "5.00"},
        "custom_id": REFUND_REFERENCE,
        "invoice_id": "INV-1",
    }
    assert stage.fake.troubles.requests[-1].headers["paypal-request-id"] == f"refund-{REFUND_REFERENCE}"
    assert (refund.state, refund.amount, refund.currency) == (RefundState.SUCCEEDED, Decimal(5), "USD")
    assert (refund.reference, refund.capture_id) == (REFUND_REFERENCE, paid.capture_id)
    assert refund.object_id == paid.object_id


def test_a_lost_answer_to_a_refund_gives_the_money_back_once(stage: Stage) -> None:
    paid = stage.paid()
    stage.fake.troubles.hang_up_after("/refund", times=3)
    with pytest.raises(Unavailable) as caught:
        stage.gateway.refund(refund_order(paid, "5.00"))

    with time_machine.travel(datetime.now(UTC) + timedelta(days=44)):
        refund = stage.gateway.refund(refund_order(paid, "5.00"))

    assert caught.value.may_have_happened
    assert list(stage.fake.refunds) == [refund.refund_id]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("PENDING", RefundState.PENDING),
        ("COMPLETED", RefundState.SUCCEEDED),
        ("FAILED", RefundState.FAILED),
        ("CANCELLED", RefundState.CANCELED),
        ("SOMETHING_NEW", RefundState.PENDING),
    ],
)
def test_a_refund_is_as_far_as_paypal_says(stage: Stage, status: str, state: RefundState) -> None:
    paid = stage.paid()
    stage.fake.hold_refunds(status)

    refund = stage.gateway.refund(refund_order(paid, "5.00"))

    assert refund.state == state
    assert bool(refund.failure_code) == (state in {RefundState.FAILED, RefundState.CANCELED})
    assert stage.gateway.fetch(paid.object_id).refunded == (5 if state == RefundState.SUCCEEDED else 0)


def test_a_pending_refund_ends_later(stage: Stage) -> None:
    paid = stage.paid()
    stage.fake.hold_refunds()
    refund = stage.gateway.refund(refund_order(paid, "5.00"))

    stage.fake.finish_refund(refund.refund_id, "COMPLETED")

    assert stage.gateway.refund_with_id(refund.refund_id).state == RefundState.SUCCEEDED


def test_more_than_was_paid_does_not_go_back(stage: Stage) -> None:
    paid = stage.paid()

    with pytest.raises(Declined) as caught:
        stage.gateway.refund(refund_order(paid, "20.00"))

    assert caught.value.code == "REFUND_AMOUNT_EXCEEDED"


def test_nothing_goes_back_twice(stage: Stage) -> None:
    paid = stage.paid()
    stage.gateway.refund(refund_order(paid, "19.99"))

    with pytest.raises(Declined) as caught:
        stage.gateway.refund(refund_order(paid, "0.01", reference="another"))

    assert caught.value.code == "CAPTURE_FULLY_REFUNDED"


def test_after_half_a_year_nothing_goes_back(stage: Stage) -> None:
    paid = stage.paid()

    with time_machine.travel(datetime.now(UTC) + timedelta(days=181)):
        stage.fake.revoke_tokens()
        with pytest.raises(Declined) as caught:
            stage.gateway.refund(refund_order(paid, "5.00"))

    assert caught.value.code == "REFUND_TIME_LIMIT_EXCEEDED"


def test_what_paypal_still_decides_on_does_not_go_back(stage: Stage) -> None:
    charge = stage.approved()
    stage.fake.hold_capture(charge.object_id)
    pending = stage.gateway.complete(charge.object_id, REFERENCE)

    with pytest.raises(Declined) as caught:
        stage.gateway.refund(refund_order(pending, "5.00"))

    assert caught.value.code == "PENDING_CAPTURE"


def test_all_refunds_are_seen_whoever_ordered_them(stage: Stage) -> None:
    paid = stage.paid()
    ours = stage.gateway.refund(refund_order(paid, "5.00"))
    theirs = stage.fake.refund_in_dashboard(paid.capture_id, Decimal("2.50"))
    reversed_ = stage.fake.reverse(paid.capture_id)

    refunds = stage.gateway.refunds_of(paid)

    assert [(refund.refund_id, refund.amount, refund.reference) for refund in refunds] == [
        (ours.refund_id, Decimal("5.00"), REFUND_REFERENCE),
        (theirs, Decimal("2.50"), ""),
        (reversed_, Decimal("12.49"), ""),
    ]
    assert {(refund.capture_id, refund.object_id) for refund in refunds} == {(paid.capture_id, paid.object_id)}
    assert stage.gateway.fetch(paid.object_id).refunded == paid.amount


def test_a_refund_is_found_by_its_id(stage: Stage) -> None:
    paid = stage.paid()
    refund_id = stage.fake.refund_in_dashboard(paid.capture_id)

    refund = stage.gateway.refund_with_id(refund_id)

    assert (refund.amount, refund.capture_id, refund.reference) == (paid.amount, paid.capture_id, "")


def test_an_unknown_refund_is_unknown(stage: Stage) -> None:
    with pytest.raises(UnknownObject):
        stage.gateway.refund_with_id("1JU08902781691411")


def test_a_charge_is_found_by_its_capture(stage: Stage) -> None:
    paid = stage.paid()

    assert stage.gateway.charge_of_capture(paid.capture_id) == paid


def test_a_capture_that_names_its_order_only_in_a_link_is_followed() -> None:
    order = {
        "id": "5O190127TN364715T",
        "status": "COMPLETED",
        "purchase_units": [{"payments": {"captures": [CAPTURE]}}],
    }
    with answering(answer(CAPTURE | {"links": [ORDER_LINK]}), answer(order)) as (gateway, asked):
        charge = gateway.charge_of_capture("3C679366HH908993F")

    assert charge.object_id == "5O190127TN364715T"
    assert asked[1].path == "/v2/checkout/orders/5O190127TN364715T"


@pytest.mark.parametrize("links", [[], [AUTHORIZATION_LINK], None, [{"rel": "up", "href": 5}]])
def test_a_capture_without_an_order_speaks_for_itself(links: Any) -> None:
    with answering(answer(CAPTURE | {"links": links})) as (gateway, asked):
        charge = gateway.charge_of_capture("3C679366HH908993F")

    assert (charge.object_id, charge.capture_id, charge.reference) == ("", "3C679366HH908993F", REFERENCE)
    assert (charge.state, charge.amount) == (ChargeState.SUCCEEDED, Decimal("19.99"))
    assert len(asked) == 1


def test_a_capture_whose_order_is_gone_speaks_for_itself() -> None:
    with answering(answer(CAPTURE | {"links": [ORDER_LINK]}), answer({}, 404)) as (gateway, _):
        assert gateway.charge_of_capture("3C679366HH908993F").object_id == ""


def test_a_capture_is_not_believed_alone_while_its_order_cannot_be_asked() -> None:
    refusing = (answer({}, 500),) * 3
    with (
        answering(answer(CAPTURE | {"links": [ORDER_LINK]}), *refusing) as (gateway, _),
        pytest.raises(Unavailable),
    ):
        gateway.charge_of_capture("3C679366HH908993F")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("RESOLVED_BUYER_FAVOUR", "lost"),
        ("ACCEPTED", "lost"),
        ("RESOLVED_SELLER_FAVOUR", "won"),
        ("RESOLVED_WITH_PAYOUT", "won"),
        ("DENIED", "won"),
        ("CANCELED_BY_BUYER", "closed"),
        ("NONE", "closed"),
        ("SOMETHING_NEW", "open"),
    ],
)
def test_a_dispute_is_lost_won_or_closed_once_it_is_over(stage: Stage, outcome: str, state: str) -> None:
    paid = stage.paid()
    dispute_id = stage.fake.open_dispute(paid.capture_id)
    opened = stage.gateway.dispute(dispute_id)

    stage.fake.close_dispute(dispute_id, outcome)
    closed = stage.gateway.dispute(dispute_id)

    assert (opened.state, opened.outcome) == ("open", "")
    assert (opened.capture_id, opened.amount, opened.currency) == (paid.capture_id, paid.amount, "USD")
    assert (closed.state, closed.outcome) == (state, outcome)


def test_a_lost_dispute_takes_the_money_back(stage: Stage) -> None:
    paid = stage.paid(charge_order(amount="1200", currency="JPY"))
    dispute_id = stage.fake.open_dispute(paid.capture_id)

    stage.fake.close_dispute(dispute_id)

    assert stage.gateway.fetch(paid.object_id).refunded == 1200
