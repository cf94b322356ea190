"""What the requests that programs repeat all day ask of the database, BEGIN and COMMIT included."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.auth.services.sessions import open_session
from tests import make
from tests.concurrency.sql_trace import sent_by, summary

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_balance")]

USAGE, BATCH = "/api/v1/billing/credits/usage/", "/api/v1/billing/credits/usage/batch/"
SESSION = "EXECUTE igny8_live_session"
SPEND = [
    SESSION,
    "BEGIN",
    "EXECUTE igny8_take_key",
    "EXECUTE igny8_lock_balance_and_cost",
    "EXECUTE igny8_spend_credits",
    "EXECUTE igny8_store_answers",
    "COMMIT",
]
BATCH_OF_ANY_SIZE = [
    SESSION,
    "BEGIN",
    "SELECT igny8_idempotent_answers",
    "EXECUTE igny8_lock_balance",
    "SELECT igny8_credit_cost_config",
    "SELECT igny8_sites",
    "SELECT igny8_credit_transactions",
    "SELECT igny8_credit_grants",
    "EXECUTE igny8_spend_many",
    "EXECUTE igny8_record_events",
    "EXECUTE igny8_store_answers",
    "COMMIT",
]


@pytest.fixture
def owner() -> User:
    owner = make.owner()
    assert owner.account
    make.credit_cost()
    make.credits(owner.account, 100_000)
    for _ in range(3):
        make.invoice(owner.account)
    return owner


@pytest.fixture
def client(owner: User) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {open_session(owner).access}")


def post(client: APIClient, path: str, data: Any) -> int:
    headers = {"HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4())}
    answer = client.generic("POST", path, json.dumps(data), content_type="application/json", **headers)
    return int(answer.status_code)


def asked(call: Callable[[], int], status: int) -> list[str]:
    """What a request sends once its statements are prepared."""
    assert call() == status
    return [summary(sql) for sql in sent_by(call)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/auth/me/", "EXECUTE igny8_profile_of_session"),
        ("/api/v1/billing/credits/balance/", "EXECUTE igny8_balance_of_session"),
        ("/api/v1/billing/invoices/", "EXECUTE igny8_first_invoices_of_session"),
    ],
)
def test_a_hot_read_is_one_prepared_statement(client: APIClient, path: str, expected: str) -> None:
    assert asked(lambda: client.get(path).status_code, 200) == [expected]


def test_spending_is_six_statements_after_the_session_with_a_site_and_without(client: APIClient, owner: User) -> None:
    assert owner.account
    site, article = make.site(owner.account).pk, {"operation_type": "article", "quantity": 1}

    assert asked(lambda: post(client, USAGE, article), 201) == SPEND
    assert asked(lambda: post(client, USAGE, {**article, "site": site}), 201) == SPEND


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_a_batch_is_as_many_statements_however_long_it_is(client: APIClient, owner: User, size: int) -> None:
    assert owner.account
    site = make.site(owner.account).pk

    def batch() -> int:
        article = {"operation_type": "article", "quantity": 1, "site": site}
        return post(client, BATCH, {"operations": [{**article, "key": str(uuid.uuid4())} for _ in range(size)]})

    assert asked(batch, 200) == BATCH_OF_ANY_SIZE
