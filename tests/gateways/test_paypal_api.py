"""What the SDK's client does wrong, and that ours does not."""

import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from fake_gateways.loopback import Answer, HangUp, LoopbackServer, Request
from igny8_core.business.billing.gateways import patience
from igny8_core.business.billing.gateways.paypal.charges import PayPalGateway
from igny8_core.business.billing.gateways.paypal.client import PayPalApi, PayPalError, checked_id
from igny8_core.business.billing.gateways.paypal.settings import PayPalSettings
from igny8_core.business.billing.gateways.protocol import Misconfigured, Unavailable, UnknownObject
from tests.gateways.paypal_setup import Stage, answering, charge_order, on_stage, settings_for

ORDER = "5O190127TN364715T"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with on_stage() as made:
        yield made


def test_a_lasting_401_ends_after_one_new_token(stage: Stage) -> None:
    stage.fake.troubles.answer_next(401, "/orders", times=99)

    with pytest.raises(Misconfigured):
        stage.gateway.start(charge_order())

    assert stage.fake.troubles.paths() == ["/v1/oauth2/token", "/v2/checkout/orders"] * 2


def test_a_revoked_token_is_replaced_once(stage: Stage) -> None:
    stage.gateway.start(charge_order())
    stage.fake.revoke_tokens()

    stage.gateway.start(charge_order())

    assert stage.fake.tokens_issued == 2


def test_an_endpoint_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "READ_SECONDS", 0.05)
    end = threading.Event()

    def never(request: Request) -> Answer:
        end.wait(60)
        raise HangUp

    server = LoopbackServer(never).start()
    gateway = PayPalGateway(settings_for(server.address), sleep=lambda seconds: None)

    with pytest.raises(Unavailable):
        gateway.fetch(ORDER)

    end.set()
    server.stop()


def test_requests_wait_three_seconds_to_connect_and_twenty_for_an_answer() -> None:
    assert patience.timeouts() == (3.05, 20)


def test_a_bad_request_is_an_error_and_no_answer(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.fake.troubles.answer_next(400, "/orders")

    with pytest.raises(Misconfigured) as caught:
        stage.gateway.start(charge_order())

    assert caught.value.request_id
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "paypal refuses our request"
    ]


def test_a_bad_request_with_html_is_an_error_as_any(stage: Stage) -> None:
    stage.fake.troubles.answer_next(400, "/orders", body=b"<html>Bad Request</html>")

    with pytest.raises(Misconfigured):
        stage.gateway.start(charge_order())


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b'"text"', b"\xff", b"[" * 100_000])
def test_a_success_that_cannot_be_read_may_have_happened(stage: Stage, body: bytes) -> None:
    stage.fake.troubles.answer_next(201, "/orders", body=body)

    with pytest.raises(Unavailable) as caught:
        stage.gateway.start(charge_order())

    assert caught.value.may_have_happened


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (403, Misconfigured),
        (404, UnknownObject),
        (405, Misconfigured),
        (409, Unavailable),
        (415, Misconfigured),
        (422, Misconfigured),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_every_error_status_is_an_error_of_ours(stage: Stage, status: int, raised: type[Exception]) -> None:
    stage.fake.troubles.answer_next(status, "/orders", times=3)

    with pytest.raises(raised):
        stage.gateway.start(charge_order())


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_what_passes_is_tried_three_times_with_one_request_id(stage: Stage, status: int) -> None:
    stage.fake.troubles.answer_next(status, "/orders", times=2)

    stage.gateway.start(charge_order())

    sent = [request for request in stage.fake.troubles.requests if request.path == "/v2/checkout/orders"]
    assert len(sent) == 3
    assert len({request.headers["paypal-request-id"] for request in sent}) == 1
    assert stage.pauses == [0.5, 1.0]


def test_a_post_without_request_id_is_never_repeated(stage: Stage) -> None:
    api = PayPalApi(settings_for(stage.fake.address), sleep=stage.pauses.append)
    stage.fake.troubles.answer_next(500, "/orders", times=3)

    with pytest.raises(PayPalError) as caught:
        api.post("/v2/checkout/orders", {})

    assert caught.value.may_have_happened
    assert stage.fake.troubles.paths("/orders") == ["/v2/checkout/orders"]


def test_a_read_is_repeated(stage: Stage) -> None:
    charge = stage.gateway.start(charge_order())
    stage.fake.troubles.hang_up_after("/orders/", times=2, method="GET")

    assert stage.gateway.fetch(charge.object_id) == charge


def test_retry_after_is_obeyed_up_to_five_seconds(stage: Stage) -> None:
    stage.fake.troubles.answer_next(429, "/orders", headers={"Retry-After": "4"})

    stage.gateway.start(charge_order())

    assert stage.pauses == [4]


def test_a_longer_retry_after_is_left_to_the_caller(stage: Stage) -> None:
    stage.fake.troubles.answer_next(429, "/orders", headers={"Retry-After": "6"})

    with pytest.raises(Unavailable) as caught:
        stage.gateway.start(charge_order())

    assert caught.value.retry_after == 6
    assert not caught.value.may_have_happened
    assert stage.pauses == []


def test_a_late_rate_limit_does_not_hide_a_lost_answer(stage: Stage) -> None:
    stage.fake.troubles.hang_up_after("/orders")
    stage.fake.troubles.answer_next(429, "/orders", times=2)

    with pytest.raises(Unavailable) as caught:
        stage.gateway.start(charge_order())

    assert caught.value.may_have_happened


def test_nothing_happened_where_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gateway = PayPalGateway(settings_for(f"http://127.0.0.1:{unused.getsockname()[1]}"), sleep=lambda seconds: None)

        with pytest.raises(Unavailable) as caught:
            gateway.complete(ORDER, "reference")

    assert not caught.value.may_have_happened


def test_nothing_happened_without_a_token(stage: Stage) -> None:
    stage.fake.troubles.answer_next(500, "/token", times=3)

    with pytest.raises(Unavailable) as caught:
        stage.gateway.start(charge_order())

    assert not caught.value.may_have_happened
    assert stage.fake.troubles.paths() == ["/v1/oauth2/token"] * 3


def test_wrong_keys_are_a_misconfiguration(stage: Stage) -> None:
    wrong = PayPalSettings("fake-client", "other", "WEBHOOK1", live=False, api_base=stage.fake.address)

    with pytest.raises(Misconfigured):
        PayPalGateway(wrong).start(charge_order())


def test_the_callers_headers_do_not_reach_the_token_call(stage: Stage) -> None:
    stage.gateway.start(charge_order())

    token_call, create = stage.fake.troubles.requests
    assert {"paypal-request-id", "prefer"} & token_call.headers.keys() == set()
    assert {"paypal-request-id", "prefer"} <= create.headers.keys()


def test_a_read_has_no_body(stage: Stage) -> None:
    charge = stage.gateway.start(charge_order())

    stage.gateway.fetch(charge.object_id)

    assert stage.fake.troubles.requests[-1].body == b""


def test_a_slash_at_the_end_of_the_endpoint_does_not_double_the_path(stage: Stage) -> None:
    charge = stage.gateway.start(charge_order())

    other = PayPalGateway(settings_for(f"{stage.fake.address}/"))

    assert other.fetch(charge.object_id).object_id == charge.object_id


def test_a_token_is_replaced_a_minute_before_its_end(stage: Stage) -> None:
    stage.fake.token_lifetime = 600
    stage.gateway.start(charge_order())
    stage.clock.now += 539
    stage.gateway.start(charge_order())

    stage.clock.now += 2
    stage.gateway.start(charge_order())

    assert stage.fake.tokens_issued == 2


def test_twenty_threads_fetch_one_token(stage: Stage) -> None:
    with ThreadPoolExecutor(20) as threads:
        charges = list(threads.map(lambda n: stage.gateway.start(charge_order(f"reference-{n}")), range(20)))

    assert len({charge.object_id for charge in charges}) == 20
    assert stage.fake.tokens_issued == 1


def test_twenty_threads_replace_a_revoked_token_once(stage: Stage) -> None:
    charge = stage.gateway.start(charge_order())
    stage.fake.revoke_tokens()

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(lambda n: stage.gateway.fetch(charge.object_id), range(20)))

    assert stage.fake.tokens_issued == 2


def test_threads_that_wait_for_a_token_share_its_failure() -> None:
    token_calls, all_wait = [], threading.Event()

    def handle(request: Request) -> Answer:
        token_calls.append(request.path)
        all_wait.wait(60)
        return Answer(403, b"{}")

    server = LoopbackServer(handle).start()
    reading_clock = threading.Semaphore(0)

    def clock() -> float:
        reading_clock.release()
        return 1000.0

    api = PayPalApi(settings_for(server.address), timer=clock)
    with ThreadPoolExecutor(5) as threads:
        failures = [threads.submit(api.read, "/v2/checkout/orders/X") for _ in range(5)]
        for _ in range(5):
            assert reading_clock.acquire(timeout=60)
        all_wait.set()
        assert all(isinstance(failure.exception(), PayPalError) for failure in failures)
    server.stop()

    assert len(token_calls) == 1


def test_threads_do_not_share_a_session(stage: Stage) -> None:
    api = PayPalApi(settings_for(stage.fake.address))

    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(api._session).result()

    assert api._session() is api._session()
    assert api._session() is not other


def test_a_decimal_is_sent_as_text(stage: Stage) -> None:
    stage.gateway.start(charge_order(amount="20"))

    assert b'"value": "20.00"' in stage.fake.troubles.requests[-1].body


def test_a_redirect_is_not_followed() -> None:
    with answering(Answer(302, b"", headers={"Location": "/elsewhere"})) as (gateway, asked):
        with pytest.raises(Unavailable):
            gateway.start(charge_order())

        assert len(asked) == 1


def test_secrets_and_bodies_are_never_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stage.fake.troubles.hang_up_after("/orders")
    stage.gateway.start(charge_order())
    stage.fake.troubles.answer_next(403, "/orders", method="GET")
    with pytest.raises(Misconfigured):
        stage.gateway.fetch(ORDER)

    authorizations = {request.headers["authorization"].split()[1] for request in stage.fake.troubles.requests}
    written = caplog.text + "".join(str(vars(record)) for record in caplog.records)

    assert not any(secret in written for secret in (*authorizations, "INV-1", "fake-secret"))
    assert not logging.getLogger("paypalrestsdk.api").isEnabledFor(logging.DEBUG)


def test_an_error_does_not_carry_the_request_with_its_token(stage: Stage) -> None:
    stage.fake.troubles.hang_up_after("/orders", times=3)

    with pytest.raises(Unavailable) as caught:
        stage.gateway.start(charge_order())

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_netrc_file_does_not_replace_the_token(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))

    assert stage.gateway.start(charge_order()).amount == Decimal("19.99")


@pytest.mark.parametrize(
    "object_id",
    ["", "1234", "x" * 40, "../../v1/oauth2/token", "5O190127TN364715T\n", r"\g<0>AAAAA", "5o190", "A%2FBCD"],
)
def test_an_id_that_cannot_be_one_is_never_sent(stage: Stage, object_id: str) -> None:
    with pytest.raises(UnknownObject):
        stage.gateway.fetch(object_id)

    assert stage.fake.troubles.requests == []


@pytest.mark.parametrize("object_id", [ORDER, "PP-D-27803"])
def test_ids_as_paypal_makes_them_pass(object_id: str) -> None:
    assert checked_id(object_id) == object_id
