"""Many operations at once: each spent or refused as it would be alone, in order, once for its key (INP-15)."""

import json
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Role, SiteUserAccess, User
from igny8_core.business.billing.api.credit_serializers import MAX_OPERATIONS, OperationOutput
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, CreditGrantKind, CreditTransaction, CreditUsageLog
from igny8_core.common.models import IdempotentAnswer
from igny8_core.events.models import Event
from tests import make
from tests.api.world import UNUSED_ID, fingerprint, refusal

pytestmark = pytest.mark.django_db

USAGE, BATCH = "/api/v1/billing/credits/usage/", "/api/v1/billing/credits/usage/batch/"
Login = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def credits(account_a: Account) -> None:
    """1000 credits for account A; an article costs 5, an image 30."""
    make.credit_cost()
    make.credit_cost(operation_type="image", credits_per_unit=30)
    make.credit_cost(operation_type="retired", is_active=False)
    make.credits(account_a, 1000)


@pytest.fixture
def client(alice: User, as_user: Login) -> APIClient:
    return as_user(alice)


def article(key: str = "", **fields: Any) -> dict[str, Any]:
    return {"key": key or str(uuid.uuid4()), "operation_type": "article", "quantity": 1, **fields}


def send(client: APIClient, *operations: Any) -> Any:
    return client.post(BATCH, {"operations": operations}, format="json")


def alone(client: APIClient, operation: dict[str, Any]) -> Any:
    body = {name: value for name, value in operation.items() if name != "key"}
    return client.post(USAGE, body, format="json", HTTP_IDEMPOTENCY_KEY=operation["key"])


def answers(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    return list(response.json()["data"])


def balance(account: Account) -> int:
    return Account.objects.get(pk=account.pk).credits


# --- What a batch does ----------------------------------------------------------------------------------------------


def test_each_operation_is_spent_or_refused_and_answered_in_order(client: APIClient, account_a: Account) -> None:
    operations = [
        article("a", quantity=3),
        article("b", operation_type="unknown"),
        article("c", operation_type="image", quantity=40),
        article("d", operation_type="retired"),
        article("e", site=UNUSED_ID),
        article("f", metadata={"article": "4711"}),
        article("g", quantity=197),
    ]

    told = answers(send(client, *operations))

    assert [answer["key"] for answer in told] == list("abcdefg")
    assert [answer["code"] for answer in told] == [
        *("", "operation_not_offered", "insufficient_credits", "operation_not_offered", "invalid_input"),
        *("", "insufficient_credits"),
    ]
    assert [answer["success"] for answer in told] == [True, False, False, False, False, True, False]
    assert told[2]["message"].startswith("This costs 1200 credits, but the account has 985.")
    assert list(told[4]["errors"]) == ["site"]
    entry = CreditTransaction.objects.get(balance_after=980)
    assert told[5]["usage"] == {
        "transaction_id": entry.pk,
        "operation_type": "article",
        "quantity": 1,
        "credits_spent": 5,
        "balance": 980,
    }
    assert CreditUsageLog.objects.order_by("pk").last().metadata == {"article": "4711"}  # type: ignore[union-attr]
    assert balance(account_a) == 980
    assert broken_invariants() == []


def test_the_answer_has_the_documented_form(client: APIClient) -> None:
    told = answers(send(client, article(), article(operation_type="unknown")))

    documented = OperationOutput().fields
    assert [list(answer) for answer in told] == [list(documented)] * 2
    assert list(told[0]["usage"]) == list(documented["usage"].fields)


def test_1000_operations_fit_and_1001_are_too_many(client: APIClient, account_a: Account) -> None:
    make.credits(account_a, 10_000)
    metadata = {"article": "4711", "words": ["x" * 60] * 10}
    many = [article(key=f"key-{number:04}-{uuid.uuid4()}", metadata=metadata) for number in range(MAX_OPERATIONS + 1)]
    assert len(json.dumps({"operations": many[1:]})) > 600_000
    before = fingerprint()

    refused = send(client, *many)

    assert (refused.status_code, list(refusal(refused)["errors"])) == (400, ["operations"])
    assert fingerprint() == before
    assert all(answer["success"] for answer in answers(send(client, *many[1:])))
    assert balance(account_a) == 11_000 - 5 * MAX_OPERATIONS


@pytest.mark.parametrize(
    ("operations", "field"),
    [
        ([], "operations"),
        (None, "operations"),
        ("x", "operations"),
        ({}, "operations"),
        ([article(), 1], "operations.1"),
        ([article(quantity=0)], "operations.0.quantity"),
        ([article(), article(quantity="1")], "operations.1.quantity"),
        ([article(key="a b")], "operations.0.key"),
        ([article(key="x" * 256)], "operations.0.key"),
        ([{"operation_type": "article", "quantity": 1}], "operations.0.key"),
        ([article(metadata=[])], "operations.0.metadata"),
        ([article(site=0)], "operations.0.site"),
        ([article(site_id=1)], "operations.0.site_id"),
        ([article(credits=1)], "operations.0.credits"),
        ([article("a"), article("b"), article("a", quantity=2)], "operations.2.key"),
        ([article("a"), article("a", metadata={"x": 1})], "operations.1.key"),
        ([article("a", metadata={"x": 1}), article("a", metadata={"x": True})], "operations.1.key"),
        ([article("a", metadata={"x": 1}), article("a", metadata={"x": 1.0})], "operations.1.key"),
    ],
    # Keys are made anew in each process, and all processes of a run must name a test alike.
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_batch_with_a_mistake_in_its_form_does_nothing(client: APIClient, operations: Any, field: str) -> None:
    before = fingerprint()

    response = client.post(BATCH, {"operations": operations}, format="json")

    assert response.status_code == 400
    assert next(iter(refusal(response)["errors"])).startswith(field)
    assert fingerprint() == before


def test_of_many_mistakes_the_first_are_told(client: APIClient) -> None:
    response = send(client, *[article(quantity=0)] * 500)

    assert response.status_code == 400
    assert len(refusal(response)["errors"]) == 20


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"status": "pending_payment"}, 402),
        ({"status": "suspended", "suspended_reason": "operator"}, 403),
        ({"status": "canceled"}, 403),
    ],
    ids=str,
)
def test_an_account_that_may_not_use_the_product_gets_one_answer(
    client: APIClient, account_a: Account, state: dict[str, str], status: int
) -> None:
    Account.objects.filter(pk=account_a.pk).update(**state)
    before = fingerprint()

    assert send(client, article(), article()).status_code == status
    assert fingerprint() == before


def test_an_editor_spends_on_sites_with_access_only(account_a: Account, as_user: Login) -> None:
    editor, open_site, closed = (
        make.user(account=account_a, role=Role.EDITOR),
        make.site(account_a),
        make.site(account_a),
    )
    SiteUserAccess.objects.create(user=editor, site=open_site)

    told = answers(send(as_user(editor), article(site=open_site.pk), article(site=closed.pk), article()))

    assert [answer["code"] for answer in told] == ["", "invalid_input", ""]
    assert [log.site for log in CreditUsageLog.objects.order_by("pk")] == [open_site, None]


def test_falling_below_a_tenth_of_the_plan_is_told_once(client: APIClient) -> None:
    answers(send(client, *[article(quantity=30) for _ in range(6)], article(quantity=1), article(quantity=1)))

    assert Event.objects.get(type="credits.low").data == {"balance": 95, "threshold": 100}


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_a_repeated_batch_gets_the_first_answers_and_tries_again_what_was_refused(
    client: APIClient, account_a: Account
) -> None:
    operations = [article(), article(quantity=300), article()]
    first = answers(send(client, *operations))

    again = answers(send(client, *operations))
    make.credits(account_a, 1000)
    later = answers(send(client, *operations))

    assert [again[0], again[2]] == [later[0], later[2]] == [first[0], first[2]]
    assert again[1]["code"] == "insufficient_credits"
    assert (first[1]["code"], later[1]["usage"]["balance"]) == ("insufficient_credits", 490)
    assert balance(account_a) == 490


def test_one_key_sent_twice_in_a_batch_is_spent_once(client: APIClient, account_a: Account) -> None:
    once = article("same")

    told = answers(send(client, once, once))

    assert told[0] == told[1]
    assert balance(account_a) == 995


def test_a_key_means_the_same_through_both_doors(client: APIClient, account_a: Account) -> None:
    first, second = article("first", metadata={"b": 1, "a": 2}), article("second")
    by_itself = alone(client, first)
    in_batch = answers(send(client, first, second))
    replayed = alone(client, second)

    assert in_batch[0]["usage"] == by_itself.json()["data"]
    assert (replayed.status_code, replayed["Idempotent-Replayed"]) == (201, "true")
    assert replayed.json()["data"] == in_batch[1]["usage"]
    assert balance(account_a) == 990


@pytest.mark.parametrize("change", [{"quantity": 2}, {"metadata": {}}, {"operation_type": "image"}], ids=str)
@pytest.mark.parametrize("door", [alone, send])
def test_a_key_of_another_operation_is_refused_and_the_others_are_spent(
    client: APIClient, account_a: Account, door: Callable[..., Any], change: dict[str, Any]
) -> None:
    door(client, article("used"))

    told = answers(send(client, article("used", **change), article()))

    assert [answer["code"] for answer in told] == ["idempotency_key_reused", ""]
    assert balance(account_a) == 990


def test_keys_outlive_their_answers(client: APIClient, account_a: Account) -> None:
    operations = [article("a"), article("b", quantity=2)]
    first = answers(send(client, *operations))
    IdempotentAnswer.objects.all().delete()

    again = answers(send(client, operations[0], article("b", quantity=3)))

    assert again[0] == first[0]
    assert again[1]["code"] == "spend_key_reused"
    assert balance(account_a) == 985


# --- Held against the plain form ------------------------------------------------------------------------------------


def books(account: Account) -> dict[str, Any]:
    """All that spending leaves, without what differs between two accounts."""
    usage = CreditTransaction.objects.filter(account=account, transaction_type="usage").order_by("pk")
    events = Event.objects.filter(account=account, type__in=["credits.spent", "credits.low"]).order_by("pk")
    logs = CreditUsageLog.objects.filter(account=account).order_by("pk")
    grants = CreditGrant.objects.filter(account=account).order_by("pk")
    return {
        "ledger": list(usage.values_list("amount", "balance_after", "description", "metadata")),
        "log": list(logs.values_list("operation_type", "credits", "metadata", "site__name")),
        "events": [(event.type, event.data) for event in events],
        "objects": [event.object_id for event in events if event.type == "credits.spent"]
        == [str(entry.pk) for entry in usage],
        "actors": {event.actor_id == account.owner_id for event in events if event.type == "credits.spent"},
        "grants": list(grants.values_list("remaining", flat=True)),
        "balance": balance(account),
    }


def twin() -> User:
    """An owner of an account with grants of all kinds and one site, the same each time."""
    owner = make.owner()
    assert owner.account
    make.site(owner.account, name="Site")
    for number, (amount, kind) in enumerate([(7, "purchase"), (60, "plan"), (1, "plan"), (200, "purchase")]):
        make.credits(owner.account, amount, kind=CreditGrantKind(kind), source=f"grant {number}")
    return owner


@pytest.mark.parametrize("seed", range(5))
def test_a_batch_leaves_the_books_as_one_request_after_the_other_would(as_user: Login, seed: int) -> None:
    pick = random.Random(seed)
    first, second = twin(), twin()
    plan = [
        (
            pick.choice(["article", "article", "image", "unknown"]),
            pick.randint(1, 4),
            pick.random() < 0.3,
            {"n": pick.randint(1, 9)},
        )
        for _ in range(25)
    ]

    def operations(owner: User) -> list[dict[str, Any]]:
        assert owner.account
        site = {"site": owner.account.sites.get().pk}
        return [
            article(
                f"key-{number}", operation_type=kind, quantity=quantity, metadata=facts, **(site if on_site else {})
            )
            for number, (kind, quantity, on_site, facts) in enumerate(plan)
        ]

    together = answers(send(as_user(first), *operations(first)))
    client = as_user(second)
    singly = [alone(client, operation).json() for operation in operations(second)]

    assert first.account
    assert second.account
    assert books(first.account) == books(second.account)
    for mine, theirs in zip(together, singly, strict=True):
        assert (mine["success"], mine["message"]) == (theirs["success"], theirs["message"])
        assert mine["code"] == theirs.get("code", "")
        assert mine["errors"] == theirs.get("errors", {})
        if mine["success"]:
            del mine["usage"]["transaction_id"], theirs["data"]["transaction_id"]
            assert mine["usage"] == theirs["data"]
    assert {answer["code"] for answer in together} == {"", "operation_not_offered", "insufficient_credits"}
    assert broken_invariants() == []
