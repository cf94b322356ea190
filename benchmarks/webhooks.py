"""Signed messages of Stripe at 200 per second over HTTP, taken by gunicorn with two workers: how long answers take.

A process of its own sends them at fixed times, whatever the server does: a slow answer does not slow the sender down.
"""

import contextlib
import http.client
import json
import multiprocessing
import os
import queue
import secrets
import statistics
import threading
import time
from multiprocessing.queues import SimpleQueue

import bench

PATH = "/api/v1/billing/webhooks/stripe/"
PER_SECOND, SECONDS = 200, 20
CONNECTIONS = 16
GOAL = 50  # milliseconds, at the 95th percentile
SECRET = "whsec_benchmark"
KEYS = {
    "STRIPE_SECRET_KEY": "sk_test_benchmark",
    "STRIPE_PUBLIC_KEY": "pk_test_benchmark",
    "STRIPE_WEBHOOK_SECRET": SECRET,
}
Took = list[tuple[int, float]]


def main() -> None:
    os.environ |= KEYS
    bench.prepare(__doc__)
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("spawn")
    with bench.server() as port:
        took: Took = []
        for seconds in (2, SECONDS):  # the first ones warm up
            answers: SimpleQueue[Took] = context.SimpleQueue()
            sender = context.Process(target=send, args=(port, seconds, answers), daemon=True)
            sender.start()
            took = answers.get()
            sender.join()
    report(took)
    bench.finish()


def report(took: Took) -> None:
    """Print percentiles, errors, and how many of the messages are in the database."""
    from igny8_core.business.billing.models import WebhookEvent

    times = statistics.quantiles((milliseconds for _, milliseconds in took), n=100)
    errors = sum(status != 200 for status, _ in took)
    stored = WebhookEvent.objects.filter(event_id__startswith="evt_20_").count()
    print(
        f"{len(took)} messages at {PER_SECOND}/s: "
        f"p50 {times[49]:.1f} ms, p95 {times[94]:.1f} ms, p99 {times[98]:.1f} ms, {errors} errors, {stored} stored; "
        f"goal p95 {GOAL} ms {'reached' if times[94] < GOAL else 'MISSED'}",
        flush=True,
    )
    if errors or stored != len(took):
        raise SystemExit("Messages were lost.")


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=10)


def send(port: int, seconds: int, answers: "SimpleQueue[Took]") -> None:
    """Send the messages at their times over kept-alive connections; status and milliseconds of each."""
    due: queue.SimpleQueue[tuple[float, bytes, str] | None] = queue.SimpleQueue()
    took: Took = []

    def work() -> None:
        with contextlib.closing(_connection(port)) as connection:
            while (message := due.get()) is not None:
                at, body, signature = message
                status = _post(connection, body, signature)
                # From when it was due, so that waiting for a free connection counts, too.
                took.append((status, (time.perf_counter() - at) * 1000))

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    start = time.perf_counter() + 0.2
    for number in range(PER_SECOND * seconds):
        at = start + number / PER_SECOND
        body, signature = _message(f"evt_{seconds}_{number}_{secrets.token_hex(8)}")
        time.sleep(max(0.0, at - time.perf_counter()))
        due.put((at, body, signature))
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    answers.put(took)


def _post(connection: http.client.HTTPConnection, body: bytes, signature: str) -> int:
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
    connection.request("POST", PATH, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _message(event_id: str) -> tuple[bytes, str]:
    """An event about a payment, of the size that Stripe's have, and its signature."""
    import stripe

    intent = {
        "id": f"pi_{event_id}",
        "object": "payment_intent",
        "amount": 8900,
        "currency": "usd",
        "metadata": {f"key_{number}": "x" * 60 for number in range(30)},
    }
    event = {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "livemode": False,
        "type": "payment_intent.succeeded",
        "data": {"object": intent},
    }
    body = json.dumps(event, indent=2)
    return body.encode(), stripe.WebhookSignature.generate_signature_header(body, SECRET)


if __name__ == "__main__":
    main()
