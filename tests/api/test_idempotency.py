"""A repeat with the same Idempotency-Key gets the first answer and does nothing again (PAY-16, CRD-06)."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.api.credits import UsageViewSet
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditTransaction, CreditUsageLog, Invoice
from igny8_core.common.api import idempotency
from igny8_core.common.checks import api_routes
from igny8_core.common.idempotency_store import forget_old_answers
from igny8_core.common.models import IdempotentAnswer
from tests import make
from tests.api.world import World, address, body, fingerprint, refusal

pytestmark = pytest.mark.django_db

USAGE, PURCHASE = "/api/v1/billing/credits/usage/", "/api/v1/billing/credits/purchase/"
Login = Callable[[User], APIClient]

# Operations that move money or credits, or change a subscription, and who uses them.
KEYED = {
    "api/v1/billing/admin/payments/confirm/": "owner",
    "api/v1/billing/admin/payments/<int64:payment_id>/approve/": "operator",
    "api/v1/billing/admin/payments/<int64:payment_id>/reject/": "operator",
    "api/v1/billing/invoices/<int64:invoice_id>/pay/": "owner",
    "api/v1/billing/credits/purchase/": "owner",
    "api/v1/billing/credits/usage/": "owner",
    "api/v1/billing/subscriptions/create/": "owner",
    "api/v1/admin/payments/<int64:payment_id>/refund/": "operator",
    "api/v1/admin/accounts/<int64:account_id>/adjust-credits/": "operator",
    "api/v1/admin/invoices/create/": "operator",
    "api/v1/admin/invoices/<int64:invoice_id>/void/": "operator",
}


def post(client: APIClient, path: str, data: Any, key: str | None) -> HttpResponse:
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    content = data if isinstance(data, str) else json.dumps(data)
    return client.generic("POST", path, content, content_type="application/json", **headers)


def lost(send: Callable[[], HttpResponse]) -> HttpResponse | None:
    """The answer, or None where the connection broke before it came."""
    try:
        return send()
    except ConnectionResetError:
        return None


def article(quantity: int = 1) -> dict[str, Any]:
    return {"operation_type": "article", "quantity": quantity}


@pytest.fixture
def client(alice: User, as_user: Login, account_a: Account) -> APIClient:
    """Alice, whose account has 1000 credits; an article costs 5."""
    make.credit_cost()
    make.credit_package()
    make.payment_method()
    make.credits(account_a, 1000)
    return as_user(alice)


# --- Every operation with a key -------------------------------------------------------------------------------------


def test_every_operation_on_money_honours_a_key_and_only_spending_needs_one() -> None:
    rules = {}
    for route, callback in api_routes():
        # ViewSets name the action of each method; the few views beside them have the method itself.
        name = getattr(callback, "actions", {}).get("post", "post")
        handler = getattr(getattr(callback, "cls", None), name, None)
        rules[route.lstrip("^/")] = getattr(handler, "idempotency_key", None)

    assert {route for route in KEYED if not rules[route]} == set()
    assert [route for route, rule in rules.items() if rule == "required"] == ["api/v1/billing/credits/usage/"]


@pytest.mark.parametrize(("route", "actor"), KEYED.items())
def test_a_repeat_gets_the_first_answer_byte_by_byte_and_changes_nothing(world: World, route: str, actor: str) -> None:
    path, data = address(route, world.ids(route, actor)), body(world, "POST", route, actor)
    first = post(world.client(actor), path, data, "key-1")
    before = fingerprint()

    repeats = [post(world.client(actor), path, data, "key-1") for _ in range(3)]

    assert first.status_code in {200, 201}
    assert "Idempotent-Replayed" not in first
    for repeat in repeats:
        assert (repeat.status_code, repeat.content) == (first.status_code, first.content)
        assert repeat["Idempotent-Replayed"] == "true"
        assert repeat["Content-Type"] == first["Content-Type"] == "application/json"
        assert repeat["Cache-Control"] == first["Cache-Control"] == "no-store"
    assert fingerprint() == before


@pytest.mark.parametrize(("route", "actor"), KEYED.items())
def test_what_is_no_key_is_400_and_does_nothing(world: World, route: str, actor: str) -> None:
    path, data = address(route, world.ids(route, actor)), body(world, "POST", route, actor)
    before = fingerprint()

    for key in ("", " ", "a b", "ü", "ключ", "x" * 256, "a\tb", "\x7f", "a\x00"):
        response = post(world.client(actor), path, data, key)

        assert (response.status_code, refusal(response)["code"]) == (400, "invalid_idempotency_key"), ascii(key)
    assert fingerprint() == before


def test_spending_without_a_key_is_400_and_takes_nothing(client: APIClient) -> None:
    before = fingerprint()

    response = post(client, USAGE, article(), None)

    assert (response.status_code, refusal(response)["code"]) == (400, "idempotency_key_required")
    assert fingerprint() == before


# --- One key, one request -------------------------------------------------------------------------------------------


def test_the_same_key_with_another_request_is_422(client: APIClient) -> None:
    post(client, USAGE, article(), "key-1")
    before = fingerprint()

    for path, data in [
        (USAGE, article(2)),
        (USAGE, {**article(), "metadata": {}}),
        (USAGE, {}),
        (PURCHASE, article()),
        (PURCHASE, {"package": "pro"}),
    ]:
        response = post(client, path, data, "key-1")
        assert (response.status_code, refusal(response)["code"]) == (422, "idempotency_key_reused")
    assert fingerprint() == before


def test_order_and_spaces_of_the_json_make_no_other_request(client: APIClient) -> None:
    first = post(client, USAGE, '{"operation_type": "article", "quantity": 1}', "key-1")

    again = post(client, USAGE, '{ "quantity":1,\n"operation_type":"articl\\u0065" }', "key-1")

    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotent-Replayed"] == "true"


def test_the_same_key_of_another_user_is_another_key(client: APIClient, bob: User, as_user: Login) -> None:
    owner = make.owner()
    make.credits(owner.account, 1000)
    colleague = make.user(account=bob.account, role="editor")

    answers = [post(each, USAGE, article(), "key-1") for each in (client, as_user(owner), as_user(colleague))]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.json()["data"]["transaction_id"] for answer in answers}) == 3
    assert all("Idempotent-Replayed" not in answer for answer in answers)


def test_who_may_not_call_gets_no_stored_answer(client: APIClient, alice: User) -> None:
    post(client, USAGE, article(), "key-1")
    User.objects.filter(pk=alice.pk).update(role="viewer")

    response = post(client, USAGE, article(), "key-1")

    assert (response.status_code, refusal(response)["code"]) == (403, "permission_denied")


def test_a_refusal_is_not_kept_so_that_the_same_key_works_when_its_cause_is_gone(
    client: APIClient, account_a: Account
) -> None:
    refused = [post(client, USAGE, article(201), "key-1"), post(client, USAGE, {}, "key-1")]
    stored = IdempotentAnswer.objects.count()
    make.credits(account_a, 10)

    accepted = post(client, USAGE, article(201), "key-1")

    assert [response.status_code for response in refused] == [402, 400]
    assert stored == 0
    assert accepted.json()["data"]["balance"] == 5


def test_answers_are_kept_for_two_days(client: APIClient) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        post(client, PURCHASE, {"package": "pro"}, "key-1")
        clock.shift(timedelta(hours=48))
        kept = forget_old_answers()
        clock.shift(timedelta(seconds=1))
        forgotten = forget_old_answers()

    assert (kept, forgotten) == (0, 1)


# --- When something breaks ------------------------------------------------------------------------------------------


@dataclass
class Breakage:
    """Breaks the answer to the next request, after its transaction was committed."""

    due: bool = False

    def finalize(self, view: UsageViewSet, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self.due:
            self.due = False
            raise ConnectionResetError("The caller never sees this answer.")
        return super(UsageViewSet, view).finalize_response(request, response, *args, **kwargs)


@pytest.fixture
def breakage(monkeypatch: pytest.MonkeyPatch) -> Breakage:
    broken = Breakage()
    monkeypatch.setattr(
        UsageViewSet, "finalize_response", lambda view, *args, **kwargs: broken.finalize(view, *args, **kwargs)
    )
    return broken


def test_an_answer_that_was_lost_after_the_commit_is_given_to_the_repeat(
    client: APIClient, breakage: Breakage, account_a: Account
) -> None:
    breakage.due = True

    first = lost(lambda: post(client, USAGE, article(), "key-1"))
    repeat = post(client, USAGE, article(), "key-1")

    account_a.refresh_from_db()
    assert (first, repeat.status_code, repeat["Idempotent-Replayed"]) == (None, 201, "true")
    assert repeat.json()["data"]["balance"] == account_a.credits == 995


def test_when_the_answer_cannot_be_kept_the_work_is_undone(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()

    def broken(*_: object) -> None:
        raise DatabaseError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "_store", broken)
        for path, data in ((USAGE, article()), (PURCHASE, {"package": "pro"})):
            with pytest.raises(DatabaseError, match="disk full"):
                post(client, path, data, "key-1")

    assert fingerprint() == before
    assert post(client, USAGE, article(), "key-1").status_code == 201


# --- Many retries ---------------------------------------------------------------------------------------------------


@dataclass
class Model:
    """What the account must have, told by counting along."""

    balance: int
    answers: dict[str, bytes | None]
    quantities: dict[str, int]

    def spend(self, key: str, quantity: int) -> bool:
        """Count a request with a new key; whether it can be paid."""
        if self.balance < 5 * quantity:
            return False
        self.balance -= 5 * quantity
        self.quantities[key], self.answers[key] = quantity, None
        return True


@pytest.mark.stress
def test_a_random_schedule_of_400_requests_and_retries_keeps_the_ledger_right(
    client: APIClient, breakage: Breakage, account_a: Account
) -> None:
    pick, model = random.Random(20261208), Model(1000, {}, {})
    seen = {"new": 0, "refused": 0, "retry": 0, "other": 0, "lost": 0}

    for number in range(400):
        known = pick.choice(list(model.quantities)) if model.quantities else None
        move = pick.choice(["new", "retry", "retry", "retry", "other"]) if known else "new"
        breakage.due = pick.random() < 0.2
        if move == "new" or known is None:
            key, quantity = f"key-{number}", pick.randint(1, 12)
            move = "new" if model.spend(key, quantity) else "refused"
        else:
            key, quantity = known, model.quantities[known] + (move == "other")
        response = lost(lambda key=key, quantity=quantity: post(client, USAGE, article(quantity), key))
        breakage.due = False
        seen[move if response else "lost"] += 1
        if response:
            assert response.status_code == {"refused": 402, "other": 422}.get(move, 201), (number, move)
        if response and response.status_code == 201:
            assert model.answers[key] in (None, response.content)
            model.answers[key] = response.content

    account_a.refresh_from_db()
    usage = CreditTransaction.objects.filter(account=account_a, transaction_type="usage")
    assert account_a.credits == model.balance
    assert sorted(-entry.amount for entry in usage) == sorted(5 * quantity for quantity in model.quantities.values())
    assert CreditUsageLog.objects.filter(account=account_a).count() == len(model.quantities)
    assert min(seen.values()) > 8, seen
    assert broken_invariants() == []


def test_an_order_that_is_repeated_makes_one_invoice(client: APIClient, account_a: Account) -> None:
    numbers = {
        post(client, PURCHASE, {"package": "pro"}, "key-1").json()["data"]["invoice"]["invoice_number"]
        for _ in range(10)
    }

    assert len(numbers) == Invoice.objects.filter(account=account_a).count() == 1
