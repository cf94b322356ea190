"""Junk at 200 requests a second for a minute, while a customer works and money is moved: who notices?

Logins, uploads, signups and downloads of the API's description by strangers, and connections that send half of a
request, all of this machine's loopback and bounded in number and time. Limits are on, as in production. With
--networks above 1 the junk claims to come from so many addresses, as behind a proxy: limits per network help less then.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import multiprocessing
import os
import queue
import random
import socket
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.queues import SimpleQueue

import bench
import freezes
import installation

PER_SECOND = 200
MOST_SECONDS = 120
CONNECTIONS = 64  # at once; what is due beyond them waits its turn and is given up after a second
HALF_OPEN_FOR = 5.0  # seconds
GOAL = 300  # milliseconds, the customer's 95th percentile
PATIENCE = 20  # seconds
Result = tuple[Counter[str], int]


def main() -> None:
    networks, rate = _own_options()
    setup = bench.prepare(__doc__, seconds=60.0)
    seconds = min(setup.seconds, MOST_SECONDS)
    bench.make_accounts([1, 2])
    token, _ = freezes.build()
    from django.conf import settings
    from django.db import connections

    connections.close_all()
    # The rates stay those of production; only the addresses of the junk are made up.
    behind_proxy = {"TRUSTED_PROXY_COUNT": "1"} if networks > 1 else {}
    with installation.running(THROTTLING="on", **behind_proxy) as parts:
        runs = freezes.Runs(settings.DATABASE_URL)
        time.sleep(20)  # the workers start
        customer = Customer(parts.port, token)
        customer.work(5)
        calm = customer.told()
        runs.begin()
        context = multiprocessing.get_context("spawn")
        results: SimpleQueue[Result] = context.SimpleQueue()
        sender = context.Process(target=send_junk, args=(parts.port, seconds, rate, networks, results), daemon=True)
        sender.start()
        customer.work(seconds)
        answers, late = results.get()
        sender.join()
        report(customer, calm, customer.told(), runs.worst[freezes.MONEY], (answers, late, seconds))
        runs.ended.set()
    bench.finish()


def _own_options() -> tuple[int, int]:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--rate", type=int, default=PER_SECOND)
    known, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    return min(known.networks, 250 * 250), min(known.rate, PER_SECOND)


def report(
    customer: "Customer", calm: list[float], under: list[float], gap: float, junk: tuple[Counter[str], int, float]
) -> None:
    """Print how the customer, the workers and the junk (answers, given up, seconds) fared."""
    answers, late, seconds = junk
    before, during = (statistics.quantiles(took, n=100)[94] * 1000 for took in (calm, under))
    sent = f"{sum(answers.values())} sent in {seconds:g} s, {late} given up by the sender"
    print(f"junk: {sent}: {dict(answers.most_common())}")
    print(
        f"a customer's requests: {len(under)}, p50 {statistics.median(under) * 1000:.0f} ms, p95 {during:.0f} ms "
        f"(without junk {before:.0f} ms), worst {max(under) * 1000:.0f} ms; goal p95 {GOAL} ms "
        f"{'reached' if during < GOAL else 'MISSED'}; answers {dict(customer.answers)}"
    )
    print(f"money jobs: longest gap {gap:.1f} s (every 2 s)", flush=True)


class Customer:
    """Somebody who is logged in and works: reads, and spends credits, one request after the other."""

    PATHS = ("/api/v1/auth/me/", "/api/v1/billing/credits/balance/", "/api/v1/billing/invoices/")

    def __init__(self, port: int, token: str) -> None:
        self.port, self.headers, self.took = port, {"Authorization": f"Bearer {token}"}, list[float]()
        self.answers = Counter[str]()

    def work(self, seconds: float) -> None:
        """Work for so long, ten requests a second at most."""
        ends, paths = time.monotonic() + seconds, itertools.cycle(self.PATHS)
        while time.monotonic() < ends:
            started = time.monotonic()
            answer = _ask(self.port, "GET", next(paths), b"", self.headers).rpartition(" ")[2]
            self.answers[answer] += 1
            self.took.append(time.monotonic() - started)
            time.sleep(max(0.0, 0.1 - (time.monotonic() - started)))

    def told(self) -> list[float]:
        """How long each request took since the last time."""
        took, self.took = self.took, []
        return took


def send_junk(port: int, seconds: float, rate: int, networks: int, results: "SimpleQueue[Result]") -> None:
    """Send junk at its times, whatever the server does; a process of its own."""
    due: queue.SimpleQueue[tuple[float, Callable[[int], str]] | None] = queue.SimpleQueue()
    answers, late = Counter[str](), itertools.count()

    def work() -> None:
        while (piece := due.get()) is not None:
            at, junk = piece
            if time.monotonic() - at > 1:
                next(late)
                continue
            answers[junk(port)] += 1

    threads = [threading.Thread(target=work, daemon=True) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    start, kinds = time.monotonic(), junk_of(networks)
    for number in range(int(rate * seconds)):
        at = start + number / rate
        time.sleep(max(0.0, at - time.monotonic()))
        due.put((at, next(kinds)))
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join(PATIENCE)
    results.put((answers, next(late)))


def junk_of(networks: int) -> Iterator[Callable[[int], str]]:
    """The kinds of junk in turn: logins twice as often as the others."""
    numbers = random.Random(8)

    def headers(**more: str) -> dict[str, str]:
        address = f"10.{numbers.randrange(1, 9)}.{numbers.randrange(networks) // 250 + 1}.{numbers.randrange(250)}"
        return {"X-Forwarded-For": address, "X-Forwarded-Proto": "https", **more}

    def post(path: str, body: bytes, kind: str) -> Callable[[int], str]:
        return lambda port: _ask(port, "POST", path, body, headers(**{"Content-Type": kind}))

    def login(port: int) -> str:
        body = {"email": f"nobody{numbers.randrange(5000)}@example.com", "password": "a wrong password"}
        return post("/api/v1/auth/login/", json.dumps(body).encode(), "application/json")(port)

    def sign_up(port: int) -> str:
        email, password = f"junk{numbers.randrange(10**9)}@example.com", "a long junk password 7"
        body = {"email": email, "password": password, "password_confirm": password}
        body |= {"first_name": "Junk", "last_name": "Junk"}
        return post("/api/v1/auth/register/", json.dumps(body).encode(), "application/json")(port)

    def upload(port: int) -> str:
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.4 '
        return post(
            "/api/v1/billing/payment-proofs/",
            body + os.urandom(50_000) + b"\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        )(port)

    def download(port: int) -> str:
        return _ask(port, "GET", "/api/schema/", b"", headers())

    return itertools.cycle([login, half_open, upload, login, download, sign_up])


def half_open(port: int) -> str:
    """Half of a request, and then nothing for some seconds; does not keep the sender waiting."""
    try:
        client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        client.sendall(b"POST /api/v1/auth/login/ HTTP/1.1\r\nHost: localhost\r\nContent-")
    except OSError as problem:
        return type(problem).__name__
    threading.Timer(HALF_OPEN_FOR, client.close).start()
    return "half-open"


def _ask(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> str:
    name = path.rstrip("/").rpartition("/")[2]
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as problem:
            return f"{name} {type(problem).__name__}"
        return f"{name} {answer.status}"


if __name__ == "__main__":
    main()
