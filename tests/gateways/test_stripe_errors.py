"""StripeGateway: what goes wrong on the way, and what a caller may conclude from it."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from igny8_core.business.billing.gateways.protocol import (
    ChargeState,
    GatewayError,
    Misconfigured,
    Unavailable,
    UnknownObject,
)
from tests.gateways.stripe_cast import SETTINGS, Shop

INTENTS = "/v1/payment_intents"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Misconfigured),
        (401, Misconfigured),
        (403, Misconfigured),
        (404, UnknownObject),
        (409, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_every_status_has_its_error(status: int, expected: type[GatewayError]) -> None:
    shop = Shop()
    charge = shop.gateway.start(shop.order())
    shop.fake.answer_next(status, 3)

    with pytest.raises(GatewayError) as failed:
        shop.gateway.fetch(charge.object_id)

    assert type(failed.value) is expected
    assert failed.value.request_id.startswith("req_")
    assert not isinstance(failed.value.__cause__, stripe.StripeError)


def test_a_server_error_may_have_happened_and_is_remembered_for_its_key() -> None:
    shop = Shop()
    shop.fake.answer_next(500, path=INTENTS)

    for _ in range(2):
        with pytest.raises(Unavailable) as failed:
            shop.pay()
        assert failed.value.may_have_happened

    assert shop.fake.charges_count() == 0


def test_a_passing_server_error_is_not_noticed() -> None:
    shop = Shop()
    shop.fake.answer_next(503, 2, path=INTENTS, is_stored=False)

    assert shop.pay().state is ChargeState.SUCCEEDED


def test_a_rate_limit_says_that_nothing_happened_and_when_to_come_back() -> None:
    shop = Shop()
    shop.fake.answer_next(429, path=INTENTS, retry_after=7)

    with pytest.raises(Unavailable) as failed:
        shop.pay()

    assert (failed.value.may_have_happened, failed.value.retry_after) == (False, 7)
    assert shop.pay().state is ChargeState.SUCCEEDED


def test_where_nobody_listens_nothing_happened() -> None:
    shop = Shop()
    shop.fake.refuse_next_connections(3)

    with pytest.raises(Unavailable) as failed:
        shop.pay()

    assert not failed.value.may_have_happened


def test_what_the_caller_was_handling_is_not_taken_for_our_error() -> None:
    shop = Shop()
    shop.fake.lose_next_answers(3)

    try:
        raise ConnectionRefusedError("The cache is down.")
    except ConnectionRefusedError:
        with pytest.raises(Unavailable) as failed:
            shop.pay()

    assert failed.value.may_have_happened


@pytest.mark.parametrize("then", ["refused", "rate limit", "unauthorised"])
def test_an_earlier_try_that_may_have_happened_is_not_forgotten(then: str) -> None:
    """The SDK repeats a request by itself and tells of its last try only."""
    shop = Shop()
    shop.fake.lose_next_answers(1, path=INTENTS)
    if then == "refused":
        shop.fake.refuse_next_connections(2)
    else:
        shop.fake.answer_next(429 if then == "rate limit" else 401)

    with pytest.raises(Unavailable) as failed:
        shop.pay()

    assert failed.value.may_have_happened
    assert shop.fake.charges_count() == 1
    shop.fake.refuse_next_connections(3)
    with pytest.raises(Unavailable) as next_one:
        shop.pay("payment-2")
    assert not next_one.value.may_have_happened


@pytest.mark.parametrize("first", [409, 500, 503])
def test_an_earlier_answer_that_says_nothing_is_not_forgotten(first: int) -> None:
    shop = Shop()
    shop.fake.answer_next(first, path=INTENTS, is_stored=False)
    shop.fake.answer_next(429)

    with pytest.raises(Unavailable) as failed:
        shop.pay()

    assert (failed.value.code, failed.value.may_have_happened) == ("rate_limit", True)


def test_two_at_a_time_under_one_reference_charge_once() -> None:
    shop = Shop()
    held = shop.fake.hold_back_next(path=INTENTS)

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(shop.pay)
        assert held.has_arrived.wait(60)
        with pytest.raises(Unavailable) as second:
            shop.pay()
        held.release()

        assert first.result().state is ChargeState.SUCCEEDED
    assert second.value.may_have_happened
    assert second.value.code == "idempotency_key_in_use"
    assert shop.fake.charges_count() == 1


def test_a_refused_key_is_logged_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    shop.fake.answer_next(401)

    with caplog.at_level(logging.ERROR), pytest.raises(Misconfigured) as refused:
        shop.pay()

    assert refused.value.request_id in caplog.text
    assert SETTINGS.secret_key not in caplog.text
    assert "INV-1" not in caplog.text


def test_a_list_that_breaks_off_is_an_error_of_ours_too() -> None:
    shop = Shop()
    for number in range(101):
        shop.gateway.start(shop.order(f"payment-{number}"))
    charge = shop.gateway.start(shop.order())
    assert charge.created_at is not None
    attempts = shop.gateway.recent(charge.created_at.replace(year=2020))
    next(attempts)
    shop.fake.answer_next(500, 3)

    with pytest.raises(Unavailable):
        list(attempts)
