"""What programs ask all day over HTTP, one gunicorn worker and 8 connections, against a ViewSet with a constant.

Each connection is another customer's: spends of one account wait for each other by design, which spend.py measures.
"""

import contextlib
import http.client
import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import bench

CONNECTIONS = 8
INVOICES = 60  # more than the 25 of a page
CREDITS = 1_000_000_000
OPERATION = "content_generation"
CONSTANT, BATCH = "/api/v1/constant/", "/api/v1/billing/credits/usage/batch/"
BATCH_SIZE = 1000


@dataclass(frozen=True)
class Ask:
    """A request that is sent again and again; `body` makes one for each."""

    path: str
    goal: float = 0
    body: Callable[[], str] | None = None
    status: int = 200


def spend() -> str:
    return json.dumps({"operation_type": OPERATION, "quantity": 1})


def batch() -> str:
    operation = {"operation_type": OPERATION, "quantity": 1}
    return json.dumps({"operations": [{**operation, "key": uuid.uuid4().hex} for _ in range(BATCH_SIZE)]})


ASKS = {
    "auth/me/": Ask("/api/v1/auth/me/", 0.5),
    "credits/balance/": Ask("/api/v1/billing/credits/balance/", 0.5),
    "invoices/, first page": Ask("/api/v1/billing/invoices/", 0.35),
    "credits/usage/": Ask("/api/v1/billing/credits/usage/", 0.35, spend, 201),
}


def main() -> None:
    setup = bench.prepare(__doc__)
    bench.make_accounts(range(1, CONNECTIONS + 1))
    tokens = build()
    bench.analyze()
    from django.db import connections

    connections.close_all()
    with bench.server("--workers", "1", DJANGO_SETTINGS_MODULE="benchmarks.request_settings") as port:
        for ask in (Ask(CONSTANT), *ASKS.values()):
            load(port, tokens, ask, 1)
        for name, ask in ASKS.items():
            bench.compare(
                f"{name}, {CONNECTIONS} connections",
                setup,
                lambda ask=ask: load(port, tokens, ask, setup.seconds),
                lambda ask=ask: load(port, tokens, Ask(CONSTANT, body=ask.body), setup.seconds),
                ask.goal,
            )
        rate = load(port, tokens, Ask(BATCH, body=batch), setup.seconds)
        print(f"credits/usage/batch/ of {BATCH_SIZE:,}: {rate:.1f}/s, {rate * BATCH_SIZE:,.0f} operations/s.")
    bench.finish()


def build() -> list[str]:
    """Active accounts with credits and invoices; returns their owners' access tokens."""
    from django.conf import settings
    from igny8_core.business.billing.services.credit_service import CreditService
    from igny8_core.business.billing.services.invoice_service import InvoiceService

    from igny8_core.auth.models import Account, AccountStatus, User
    from igny8_core.auth.services.sessions import open_session
    from igny8_core.business.billing.models import CreditGrantKind, CreditTransactionType

    Account.objects.update(status=AccountStatus.ACTIVE)
    settings.MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY = INVOICES + 1
    line = {"description": "Starter plan, monthly", "quantity": 1, "amount": "89.00"}
    for account in Account.objects.all():
        for number in range(3):
            CreditService.grant(
                account,
                CREDITS,
                kind=CreditGrantKind.PURCHASE,
                transaction_type=CreditTransactionType.ADJUSTMENT,
                source=f"bench:{number}",
                description="Benchmark",
            )
        for _ in range(INVOICES):
            InvoiceService.create_invoice(account, line_items=[line])
    return [open_session(owner).access for owner in User.objects.order_by("pk")]


def load(port: int, tokens: list[str], ask: Ask, seconds: float) -> float:
    """Requests per second over kept-alive connections. Stops when an answer is not the expected one."""
    counts, wrong = [0] * CONNECTIONS, []
    end = time.perf_counter() + seconds

    def run(number: int) -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            while time.perf_counter() < end and not wrong:
                status, body = _send(connection, tokens[number], ask)
                if status != ask.status:
                    wrong.append((status, body[:300]))
                counts[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(f"{ask.path} answered {wrong[0]}")
    return sum(counts) / (time.perf_counter() - started)


_keys = itertools.count()
_run = uuid.uuid4().hex


def _send(connection: http.client.HTTPConnection, token: str, ask: Ask) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token}"}
    if ask.body:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": f"{_run}-{next(_keys)}"}
    connection.request("POST" if ask.body else "GET", ask.path, ask.body() if ask.body else None, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


if __name__ == "__main__":
    main()
