"""The site as it runs in production, several processes with several threads, on the database of the tests."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests import warm_python
from tests.database import process_environment

HOST = "127.0.0.1"
PROCESSES = 2  # igny8_core/gunicorn_config.py
THREADS = 32  # of all its processes; each keeps a connection to the database
START_LIMIT = 180  # seconds; a busy machine needs most of a minute
PATIENCE = 120  # seconds for an answer


@dataclass(frozen=True)
class Request:
    """A POST with a JSON body, or a form when `form` is set."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = "{}"
    content_type: str = "application/json"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The refusal's code; empty on success."""
        return str(json.loads(self.body).get("code", ""))


class Server:
    """gunicorn with two processes of 16 threads, on a free port of this machine."""

    def __init__(self, log: Path, **environment: str) -> None:
        self.log = log
        # Hundreds of refusals are what the races are about, not news.
        self.environment = process_environment(LOG_LEVEL="ERROR", **environment)
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port: int = probe.getsockname()[1]

    def start(self) -> None:
        options = [
            "--config",
            "python:igny8_core.gunicorn_config",
            "--bind",
            f"{HOST}:{self.port}",
            "--threads",
            str(THREADS // PROCESSES),
        ]
        self.process = warm_python.start("-m", "gunicorn", *options, environment=self.environment, output=self.log)
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline and self.process.poll() is None:
            probe = Client(self.port)
            with contextlib.suppress(OSError), contextlib.closing(probe):
                if probe.send("GET", "/healthz/").status == 200:
                    return
            time.sleep(0.1)
        self.stop()
        raise AssertionError(f"The server did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(60)


class Client:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)

    def send(self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        self.connection.request(method, path, body or None, dict(headers or {}))
        response = self.connection.getresponse()
        return Answer(response.status, dict(response.headers), response.read())

    def close(self) -> None:
        self.connection.close()

    def post(self, request: Request) -> Answer:
        headers = {"Content-Type": request.content_type, **request.headers}
        return self.send("POST", request.path, request.body, headers)


class Crowd:
    """Clients that send at the same instant."""

    def __init__(self, port: int, size: int) -> None:
        self.clients = [Client(port) for _ in range(size)]
        self.pool = ThreadPoolExecutor(size)
        self.barrier = threading.Barrier(size)

    def post(self, requests: Sequence[Request]) -> list[Answer]:
        """Send one request with each client; returns the answers in the same order."""
        assert len(requests) == len(self.clients)

        def send(client: Client, request: Request) -> Answer:
            self.barrier.wait(PATIENCE)
            return client.post(request)

        return list(self.pool.map(send, self.clients, requests))

    def close(self) -> None:
        self.pool.shutdown()
        for client in self.clients:
            client.close()
