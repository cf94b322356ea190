"""Who sends nothing, or half of a request, holds no thread of the web server; nothing frozen holds a probe (FLT-01)."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from fake_gateways.silent_proxy import proxy_to
from tests.concurrency.server import HOST, Client, Server
from tests.database import database_url

pytestmark = [pytest.mark.stress, pytest.mark.django_db(transaction=True)]
LOGIN = b'{"email": "nobody@example.com", "password": "some words"}'
CONNECTIONS = 60  # more than the server has threads
# Seconds, on a busy machine. The server lets the silent go after ten (gunicorn_config.py): so long would others wait.
AT_ONCE = 8


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server") / "web.log")
    running.start()
    yield running
    running.stop()


@contextlib.contextmanager
def half_open(port: int, sent: bytes) -> Iterator[None]:
    """Connections that have sent this much and go silent."""
    with contextlib.ExitStack() as every:
        for _ in range(CONNECTIONS):
            every.enter_context(socket.create_connection((HOST, port))).sendall(sent)
        time.sleep(0.3)
        yield


def seconds_of(port: int, path: str) -> float:
    started = time.monotonic()
    with contextlib.closing(Client(port)) as client:
        assert client.send("GET", path).status in {200, 401, 503}
    return time.monotonic() - started


def raw(port: int, *parts: bytes) -> bytes:
    """What a client gets that sends its request in parts, with pauses between them."""
    with socket.create_connection((HOST, port), timeout=60) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(0.1)
        return client.recv(65536)


def test_half_open_connections_keep_nobody_waiting(server: Server) -> None:
    head = b"POST /api/v1/auth/login/ HTTP/1.1\r\nHost: localhost\r\n"
    body = head + b"Content-Type: application/json\r\nContent-Length: 57\r\n\r\n" + LOGIN[:10]

    for sent in (b"", head, body):
        with half_open(server.port, sent):
            assert seconds_of(server.port, "/api/v1/auth/me/") < AT_ONCE
            assert seconds_of(server.port, "/healthz/") < AT_ONCE


def test_a_request_in_parts_is_answered_as_if_it_had_come_at_once(server: Server) -> None:
    head = b"POST /api/v1/auth/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(LOGIN)
    large = b'{"email": "nobody@example.com", "password": "%s"}' % (b"x" * 100_000)

    assert raw(server.port, head[:20], head[20:], length, LOGIN[:10], LOGIN[10:]).startswith(b"HTTP/1.1 401")
    assert raw(server.port, head + length + LOGIN).startswith(b"HTTP/1.1 401")
    length_of_large = b"Content-Length: %d\r\n\r\n" % len(large)
    assert raw(server.port, head + length_of_large, large[:70_000], large[70_000:]).startswith(b"HTTP/1.1 400")
    assert raw(server.port, head + b"Expect: 100-continue\r\n" + length).startswith(b"HTTP/1.1 100")
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    assert raw(server.port, head + chunked, b"%x\r\n" % len(LOGIN), LOGIN + b"\r\n0\r\n\r\n").startswith(
        b"HTTP/1.1 401"
    )


def test_a_connection_is_kept_open_for_the_next_request(server: Server) -> None:
    with contextlib.closing(Client(server.port)) as client:
        answers = [client.send("GET", path).status for path in ("/healthz/", "/api/v1/auth/me/", "/healthz/")] * 3

    assert answers == [200, 401, 200] * 3


@pytest.mark.skipif("@/" in settings.DATABASE_URL, reason="the database listens on a socket and not on a port")
def test_a_silent_database_holds_neither_probes_nor_people_for_long(tmp_path: Path) -> None:
    at = connection.settings_dict
    with proxy_to(at["HOST"] or "127.0.0.1", int(at["PORT"] or 5432)) as proxy:
        url = database_url().replace(f":{at['PORT'] or 5432}/", f":{proxy.port}/")
        server = Server(tmp_path / "web.log", DATABASE_STATEMENT_SECONDS="1")
        server.environment["DATABASE_URL"] = url
        server.start()
        try:
            seconds_of(server.port, "/readyz/")
            proxy.silent.set()
            with contextlib.ExitStack() as waiting:
                for _ in range(CONNECTIONS):
                    asking = waiting.enter_context(socket.create_connection((HOST, server.port)))
                    asking.sendall(
                        b"GET /api/v1/billing/payment-methods/?country=PK HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    )
                # On a busy machine one may get its turn late; five would wait for what is waited for.
                for probe in ("/healthz/", "/readyz/"):
                    assert min(seconds_of(server.port, probe) for _ in range(5)) < 2
            proxy.silent.clear()
            deadline = time.monotonic() + 60
            with contextlib.closing(Client(server.port)) as client:
                while client.send("GET", "/readyz/").status != 200 and time.monotonic() < deadline:
                    time.sleep(0.2)
                assert client.send("GET", "/readyz/").status == 200
        finally:
            server.stop()
