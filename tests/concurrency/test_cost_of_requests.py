"""How much Python the hot requests run: calls are counted, not time, so a busy machine changes nothing.

When a budget is passed: run the request under cProfile and look for what is built anew each time (a queryset, a
serializer's fields, a policy). Take it out, or raise the budget here with the reason in the commit.
"""

import cProfile
import json
import pstats
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.auth.services.session_service import SessionService
from tests import make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_balance")]

USAGE = "/api/v1/billing/credits/usage/"
ROUNDS = 5
# Calls of a request (of 100 operations for the batch) beyond those of /healthz/, which go through the same middleware.
BUDGETS = {"me": 1100, "balance": 680, "invoices": 1250, "usage": 1610, "batch": 62_000}
# What another Python or Django may take more.
TOLERANCE = 1.1


@pytest.fixture
def client() -> APIClient:
    owner: User = make.owner()
    assert owner.account
    make.credit_cost()
    make.credits(owner.account, 100_000)
    for _ in range(26):
        make.invoice(owner.account)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {SessionService.open(owner).access}")


def post(client: APIClient, path: str, data: Any) -> int:
    headers = {"HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4())}
    answer = client.generic("POST", path, json.dumps(data), content_type="application/json", **headers)
    return int(answer.status_code)


def batch(size: int) -> dict[str, Any]:
    operation = {"operation_type": "article", "quantity": 1}
    return {"operations": [{**operation, "key": str(uuid.uuid4())} for _ in range(size)]}


REQUESTS: dict[str, Callable[[APIClient], int]] = {
    "me": lambda client: int(client.get("/api/v1/auth/me/").status_code),
    "balance": lambda client: int(client.get("/api/v1/billing/credits/balance/").status_code),
    "invoices": lambda client: int(client.get("/api/v1/billing/invoices/").status_code),
    "usage": lambda client: post(client, USAGE, {"operation_type": "article", "quantity": 1}),
    "batch": lambda client: post(client, f"{USAGE}batch/", batch(100)),
}


def calls(send: Callable[[], int]) -> int:
    """How many Python calls a request makes once everything is warm."""
    for _ in range(3):
        assert send() in {200, 201}
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(ROUNDS):
        send()
    profile.disable()
    counted: Any = pstats.Stats(profile)
    return int(counted.total_calls) // ROUNDS


@pytest.mark.parametrize("name", REQUESTS)
def test_a_hot_request_stays_within_its_budget_of_calls(client: APIClient, name: str) -> None:
    plain = calls(lambda: int(client.get("/healthz/").status_code))

    spent = calls(lambda: REQUESTS[name](client)) - plain

    assert spent <= BUDGETS[name] * TOLERANCE, f"{name} makes {spent} calls, budget {BUDGETS[name]}: see the top"
    assert spent >= BUDGETS[name] * 0.7, f"{name} makes {spent} calls only: lower its budget of {BUDGETS[name]}"
