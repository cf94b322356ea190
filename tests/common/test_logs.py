"""Every line of the log is JSON, whatever is sent to us; it tells who asked for what, and has no secret (FLT-20)."""

import contextlib
import json
import logging
import math
import socket
import uuid
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.business.billing.tasks import check_invariants
from igny8_core.common import clock
from igny8_core.common.logs import REDACTED, JsonFormatter, redact
from igny8_core.events import deliveries
from igny8_core.events.models import Delivery, TaskRun
from tests.concurrency.server import HOST, Server
from tests.concurrency.server import Client as ServerClient

CARD = "4242 4242 4242 4242"
# What has broken lines of logs, or hidden in them.
CORPUS = [
    '/x/token ",,x',
    '/x/password="}',
    "token: \"a\\\"b', secret='",
    'Bearer "quoted", and more',
    "line\nbreak\r\n and \x00 \x1b[31m",
    "\u2028 \u2029 \u202e",
    "\udc80 half of a pair",
    '{"level": "ERROR"}',
    "\\",
    "%s %d %(x)s",
    "x" * 100_000,
    "token=" * 3_000,
    "://" + "a" * 5_000 + ":",
]


def line_of(message: object, *args: object, **extra: object) -> dict[str, Any]:
    record = logging.LogRecord("test", logging.INFO, __file__, 1, message, args, None)
    vars(record).update(extra)
    written = JsonFormatter().format(record)
    assert "\n" not in written
    line: dict[str, Any] = json.loads(written, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return line


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the log gets while the test runs, as it is written."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def lines(written: StringIO, **fields: object) -> list[dict[str, Any]]:
    every = [json.loads(line) for line in written.getvalue().splitlines()]
    return [line for line in every if fields.items() <= line.items()]


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_a_line_is_json_wherever_a_text_of_a_caller_stands(text: str) -> None:
    assert line_of(text)["logger"] == "test"
    assert line_of("refused: %s", text)["level"] == "INFO"
    line = line_of("refused", path=text, more={text: [text, {"inner": text}]}, level=text)

    assert line["level"] == "INFO"
    assert len(json.dumps(line)) < 200_000


class Unwilling:
    def __str__(self) -> str:
        return 'an object with a password: "hunter22", and "quotes"'


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, b"\xff", {1: {2}}, Unwilling(), uuid.uuid4(), clock.now(), [[[[[[[[1]]]]]]]], {None: 1}],
)
def test_a_line_is_json_whatever_kind_of_value_is_given(value: object) -> None:
    assert "hunter22" not in json.dumps(line_of("seen", value=value))


def test_arguments_that_do_not_fit_their_text_lose_no_line() -> None:
    assert "only one" in line_of("%s and %s", "only one")["message"]


@pytest.mark.parametrize(
    "secret",
    [
        "Authorization: Bearer abc.def-123456",
        "Basic dXNlcjpwYXNzd29yZA==",
        '{"password": "hunter2222"}',
        "password=hunter2222",
        "refresh_token: 'a1b2c3d4e5'",
        "smtp://user:hunter2222@mail.example.com",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjF9.c2lnbmF0dXJl",
        "sk_live_51HxYzAbCdEfGhIjK",
        "whsec_0123456789abcdef",
        "pi_3abc_secret_XYZ123abc",
        f"card {CARD}",
        "card 4242424242424242 of",
        "378282246310005",
        f"{'0' * 32}.{'A' * 43}",
    ],
)
def test_secrets_are_taken_out(secret: str) -> None:
    told = redact(f"He sent {secret} to us")

    assert REDACTED in told
    assert told.startswith("He sent ")
    kept = told.replace(REDACTED, "")
    assert not any(
        part in kept for part in ("hunter", "4242", "abc.def", "eyJ", "51Hx", "XYZ123", "AAAA", "dXNl", "b2c3")
    )


@pytest.mark.parametrize(
    "innocent",
    [
        "INV-1-202511-0042",
        "1234567890123456",
        "2025-11-29T18:34:12.123+00:00",
        "payment 4711 of account 12",
        "0123456789",
    ],
)
def test_what_is_no_secret_stays(innocent: str) -> None:
    assert redact(innocent) == innocent


def test_a_value_under_the_name_of_a_secret_is_not_told() -> None:
    line = line_of("seen", refresh_token="anything", api_key="anything", tokens=3)

    assert (line["refresh_token"], line["api_key"], line["tokens"]) == (REDACTED, REDACTED, 3)


# --- One line per request -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_request_has_a_line_that_says_who_asked_for_what_and_how_it_ended(
    alice: User, as_user: Callable[[User], APIClient], log: StringIO
) -> None:
    answer = as_user(alice).get("/api/v1/auth/me/", headers={"X-Request-ID": "abcdefgh-1234"})

    (line,) = lines(log, message="request", path="/api/v1/auth/me/")
    assert answer["X-Request-ID"] == line["request_id"] == "abcdefgh-1234"
    assert (line["method"], line["status"]) == ("GET", 200)
    assert (line["user"], line["account"], line["network"]) == (alice.pk, alice.account_id, "127.0.0.1")
    assert 0 < line["duration_ms"] < 60_000


@pytest.mark.django_db
def test_the_line_knows_who_is_signed_in_in_the_console(olga: User, log: StringIO) -> None:
    console = Client()
    console.force_login(olga)
    console.get("/admin/")

    assert [line["user"] for line in lines(log, message="request", path="/admin/")] == [olga.pk]


def test_an_address_that_nobody_has_and_a_probe_have_a_line_each(log: StringIO) -> None:
    Client().get("/x/token%20%22,,x")
    Client().get("/healthz/")

    broken, probe = lines(log, message="request")
    assert (broken["status"], broken["path"]) == (404, f'/x/token ",,{REDACTED}')
    assert (probe["status"], probe["user"]) == (200, None)


# --- One line per job ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_id_of_a_request_goes_on_through_the_event_and_the_worker_into_the_mail(
    api: APIClient, log: StringIO, defaults: None
) -> None:
    body = {"email": "paula@example.com", "password": "long and unusual 7", "first_name": "P", "last_name": "A"}
    answer = api.post("/api/v1/auth/register/", {**body, "password_confirm": body["password"]}, format="json")
    request_id = answer["X-Request-ID"]
    assert answer.status_code == 201, answer.content
    account = User.objects.get(email="paula@example.com").account_id

    deliveries.deliver_due()

    assert {sent.extra_headers["X-Request-ID"] for sent in mail.outbox} == {request_id}
    jobs = lines(log, message="job", job="mail", request_id=request_id)
    assert len(jobs) == Delivery.objects.count() > 0
    assert all(line["account"] == account and line["outcome"] == "done" and line["duration_ms"] > 0 for line in jobs)
    assert lines(log, message="mail sent", request_id=request_id)


@pytest.mark.django_db(transaction=True)
def test_a_task_has_a_line_and_its_last_run_is_noted(log: StringIO) -> None:
    check_invariants()

    assert not lines(log, message="job", job="billing.check_invariants")  # nothing was broken: for DEBUG only
    run = TaskRun.objects.get(task="billing.check_invariants")
    assert (run.has_failed, run.count) == (False, 0)
    assert run.succeeded_at == run.ended_at


@pytest.mark.django_db(transaction=True)
def test_a_task_that_fails_has_a_line_that_says_so(log: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("igny8_core.business.billing.tasks.broken_invariants", broken)
    with pytest.raises(RuntimeError):
        check_invariants()

    (line,) = lines(log, message="job", job="billing.check_invariants")
    assert line["outcome"] == "failed: RuntimeError"
    assert line["request_id"]
    assert TaskRun.objects.get().has_failed


# --- What others write --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_web_server_writes_nothing_but_json_from_its_start_to_its_end(tmp_path: Path) -> None:
    server = Server(tmp_path / "web.log")
    server.environment["LOG_LEVEL"] = "INFO"
    server.start()
    try:
        with contextlib.closing(ServerClient(server.port)) as client:
            client.send("GET", "/x/token%20%22,,x", headers={"X-Request-ID": "abcdefgh-1234"})
        with socket.create_connection((HOST, server.port)) as raw:
            raw.sendall(b"NONSENSE\r\n\r\n")
            raw.recv(1000)
    finally:
        server.stop()

    told = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert {"gunicorn.error", "igny8_core.request"} <= {line["logger"] for line in told}
    assert [line["request_id"] for line in told if line.get("path", "").startswith("/x/")] == ["abcdefgh-1234"]
