"""Two requests with one Idempotency-Key at the same moment: one works, the other is told so (PAY-16)."""

import json
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.models import CreditUsageLog
from igny8_core.common.api import idempotency
from igny8_core.common.idempotency_store import KeyHold, stored_answer
from igny8_core.common.models import IdempotentAnswer
from tests import make
from tests.concurrency.interleave import run_before
from tests.concurrency.race import all_at_once

USAGE = "/api/v1/billing/credits/usage/"
THREADS = 16
ROUNDS = 10


@pytest.fixture
def owner(transactional_db: None) -> User:
    owner = make.owner()
    assert owner.account
    make.credit_cost()
    make.credits(owner.account, 1000)
    return owner


@pytest.fixture
def spend(owner: User) -> Callable[[str], HttpResponse]:
    """Spend 5 credits with a key, over HTTP."""
    bearer = f"Bearer {open_session(owner).access}"

    def post(key: str) -> HttpResponse:
        client = APIClient()
        body = json.dumps({"operation_type": "article", "quantity": 1})
        headers = {"HTTP_AUTHORIZATION": bearer, "HTTP_IDEMPOTENCY_KEY": key}
        return client.generic("POST", USAGE, body, content_type="application/json", **headers)

    return post


def code(response: HttpResponse) -> str:
    return str(json.loads(response.content).get("code", ""))


def balance(owner: User) -> int:
    return Account.objects.get(pk=owner.account_id).credits


@pytest.mark.usefixtures("books_balance")
def test_a_repeat_while_the_first_is_at_work_is_409_at_once_and_gets_its_answer_later(
    owner: User, spend: Callable[[str], HttpResponse]
) -> None:
    with run_before(idempotency, "_store", lambda: spend("key-1")) as rival:
        first = spend("key-1")
    repeat = spend("key-1")

    told = rival.outcome()
    assert not rival.had_to_wait
    assert isinstance(told, HttpResponse)
    assert (told.status_code, code(told), told["Retry-After"]) == (409, "idempotency_key_in_flight", "1")
    assert (first.status_code, repeat.status_code, repeat.content) == (201, 201, first.content)
    assert balance(owner) == 995


@pytest.mark.usefixtures("books_balance")
def test_another_key_does_not_wait_for_the_answer_only_for_the_account(
    owner: User, spend: Callable[[str], HttpResponse]
) -> None:
    with run_before(idempotency, "_stored_answer", lambda: spend("key-2")) as rival:
        first = spend("key-1")

    assert not rival.had_to_wait
    assert isinstance(rival.outcome(), HttpResponse)
    assert {first.status_code, rival.outcome().status_code} == {201}  # type: ignore[attr-defined]
    assert balance(owner) == 990


@pytest.mark.usefixtures("books_balance")
def test_a_key_sent_by_many_at_once_spends_once(owner: User, spend: Callable[[str], HttpResponse]) -> None:
    for number in range(ROUNDS):
        answers = all_at_once([lambda number=number: spend(f"key-{number}")] * THREADS)

        responses = [answer for answer in answers if isinstance(answer, HttpResponse)]
        fresh = [each for each in responses if each.status_code == 201 and "Idempotent-Replayed" not in each]
        assert len(responses) == THREADS
        assert len(fresh) == 1
        assert {(each.status_code, code(each)) for each in responses} <= {(201, ""), (409, "idempotency_key_in_flight")}
        assert {each.content for each in responses if each.status_code == 201} == {fresh[0].content}
    assert balance(owner) == 1000 - 5 * ROUNDS
    assert CreditUsageLog.objects.count() == IdempotentAnswer.objects.count() == ROUNDS


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_lock_the_repeat_of_a_request_at_work_waits_and_is_undone(
    owner: User, spend: Callable[[str], HttpResponse], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_only(caller: str, key: str) -> KeyHold:
        return KeyHold(True, stored_answer(caller, key))

    monkeypatch.setattr(idempotency, "take_key", look_only)

    with run_before(idempotency, "_store", lambda: spend("key-1")) as rival:
        first = spend("key-1")

    # The ledger's own rule still takes the credits once; the unique key of the answer undoes the rival's work.
    told = rival.outcome()
    assert rival.had_to_wait
    assert isinstance(told, HttpResponse)
    assert (told.status_code, code(told)) == (409, "idempotency_key_in_flight")
    assert first.status_code == 201
    assert balance(owner) == 995
    assert CreditUsageLog.objects.count() == IdempotentAnswer.objects.count() == 1


@pytest.mark.usefixtures("books_balance")
def test_an_answer_that_is_committed_just_before_the_key_is_taken_is_found(
    owner: User, spend: Callable[[str], HttpResponse]
) -> None:
    with run_before(idempotency, "take_key", lambda: spend("key-1")) as rival:
        second = spend("key-1")

    first = rival.outcome()
    assert isinstance(first, HttpResponse)
    assert second["Idempotent-Replayed"] == "true"
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert balance(owner) == 995
