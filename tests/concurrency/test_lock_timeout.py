"""An account whose lock somebody keeps: callers get a clear answer in time, and nothing is changed (PAY-12)."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import User
from igny8_core.auth.services.sessions import open_session
from tests import make
from tests.concurrency.effects import APPROVED, WAITING, effects_of
from tests.concurrency.server import Answer, Crowd, Request, Server

# Seconds. The database gives up after 3, and after 6 on who waits behind another who waits, because PostgreSQL counts
# anew for the place in the queue and for the row. The rest is for a busy machine: without a limit nobody would be
# answered while the lock is held.
LONGEST_ANSWER = 30

APPROVE = "/api/v1/billing/admin/payments/{}/approve/"
REJECT = "/api/v1/billing/admin/payments/{}/reject/"
CONFIRM = "/api/v1/billing/admin/payments/confirm/"


@pytest.fixture
def impatient_server(transactional_db: None, tmp_path: Path) -> Iterator[Server]:
    """A server whose database gives up on a lock when it does in production."""
    running = Server(tmp_path / "server.log")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def pair(impatient_server: Server) -> Iterator[Crowd]:
    clients = Crowd(impatient_server.port, 2)
    yield clients
    clients.close()


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {open_session(user).access}"}


def answers_while_locked(account_id: int, pair: Crowd, requests: list[Request]) -> tuple[list[Answer], float]:
    """The answers to one or two requests while somebody holds the account's lock, and the seconds they took."""
    with transaction.atomic():
        lock_account(account_id)
        started = time.monotonic()
        answers = pair.post(requests) if len(requests) == 2 else [pair.clients[0].post(requests[0])]
        return answers, time.monotonic() - started


@pytest.mark.stress
@pytest.mark.usefixtures("books_balance")
def test_a_held_account_lock_is_answered_503_with_retry_after_and_changes_nothing(pair: Crowd) -> None:
    payment, other = make.submitted_payment(), make.submitted_payment()
    owner = payment.account.owner
    assert owner
    staff = bearer(make.operator())
    confirmation = {
        "invoice_id": payment.invoice_id,
        "payment_method": "bank_transfer",
        "amount": "89.00",
        "manual_reference": "BT-9",
    }
    approve = Request(APPROVE.format(payment.pk), staff)
    behind = [Request(REJECT.format(payment.pk), staff), Request(CONFIRM, bearer(owner), json.dumps(confirmation))]
    assert pair.post([Request(APPROVE.format(other.pk), staff)] * 2)[0].status in (200, 409)

    alone, seconds = answers_while_locked(payment.account_id, pair, [approve])
    queued, seconds_in_queue = answers_while_locked(payment.account_id, pair, behind)

    assert [(answer.status, answer.code) for answer in alone + queued] == [(503, "temporarily_unavailable")] * 3
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in alone + queued)
    assert max(seconds, seconds_in_queue) < LONGEST_ANSWER
    assert effects_of(payment) == WAITING
    assert pair.clients[0].post(approve).status == 200
    assert effects_of(payment) == effects_of(other) == APPROVED
