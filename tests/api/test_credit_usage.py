"""Spending credits over HTTP: what it costs, who may, for which site, and what is refused (docs/workflow.md)."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.errors import AccountSuspended
from igny8_core.auth.models import Account, Role, SiteUserAccess, User
from igny8_core.business.billing.errors import SpendKeyReused
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditCostConfig, CreditTransaction, CreditUsageLog
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.common.models import IdempotentAnswer
from tests import make
from tests.api.world import UNUSED_ID, fingerprint, refusal

pytestmark = pytest.mark.django_db

USAGE = "/api/v1/billing/credits/usage/"
Login = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def credits(account_a: Account) -> None:
    """1000 credits for account A; an article costs 5."""
    make.credit_cost()
    make.credits(account_a, 1000)


@pytest.fixture
def editor(account_a: Account) -> User:
    return make.user(account=account_a, role=Role.EDITOR)


def use(client: APIClient, key: str = "", **body: Any) -> Any:
    body = {"operation_type": "article", "quantity": 3, **body}
    return client.post(USAGE, body, format="json", HTTP_IDEMPOTENCY_KEY=key or str(uuid.uuid4()))


def test_an_operation_costs_its_units_and_is_logged_for_member_and_site(
    editor: User, as_user: Login, account_a: Account
) -> None:
    site = make.site(account_a)
    SiteUserAccess.objects.create(user=editor, site=site)
    metadata = {"article": "4711", "words": [1200, 1.5, None, True], "in": {"Urdu": "اردو"}}

    response = use(as_user(editor), site=site.pk, metadata=metadata)

    entry = CreditTransaction.objects.get(transaction_type="usage")
    assert response.status_code == 201
    assert response.json()["data"] == {
        "transaction_id": entry.pk,
        "operation_type": "article",
        "quantity": 3,
        "credits_spent": 15,
        "balance": 985,
    }
    log = CreditUsageLog.objects.get()
    assert (log.account, log.site, log.user, log.operation_type, log.credits) == (
        account_a, site, editor, "article", 15,
    )  # fmt: skip
    assert log.metadata == entry.metadata == metadata
    assert broken_invariants() == []


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.EDITOR])
def test_who_works_on_the_account_spends_without_naming_a_site(role: Role, as_user: Login, account_a: Account) -> None:
    assert use(as_user(make.user(account=account_a, role=role))).json()["data"]["balance"] == 985
    assert CreditUsageLog.objects.get().site is None


def test_a_viewer_spends_nothing(bob: User, as_user: Login) -> None:
    client = as_user(bob)
    before = fingerprint()

    assert use(client).status_code == 403
    assert fingerprint() == before


def test_a_site_without_access_is_as_one_of_another_account_and_as_none(
    editor: User, alice: User, charlie: User, as_user: Login, account_a: Account
) -> None:
    assert charlie.account
    own, foreign, client = make.site(account_a), make.site(charlie.account), as_user(editor)
    before = fingerprint()

    answers = [
        client.post(
            USAGE,
            {"operation_type": "article", "quantity": 1, "site": site},
            format="json",
            HTTP_IDEMPOTENCY_KEY=str(uuid.uuid4()),
            HTTP_X_REQUEST_ID="same-request-id",
        )
        for site in (own.pk, foreign.pk, UNUSED_ID)
    ]

    assert {response.status_code for response in answers} == {400}
    assert len({response.content for response in answers}) == 1
    assert list(refusal(answers[0])["errors"]) == ["site"]
    assert fingerprint() == before
    assert use(as_user(alice), site=own.pk).status_code == 201
    assert use(as_user(alice), site=foreign.pk).status_code == 400


def test_what_is_more_than_there_is_costs_nothing(alice: User, as_user: Login) -> None:
    client = as_user(alice)
    before = fingerprint()

    response = use(client, quantity=201)

    assert (response.status_code, refusal(response)["code"]) == (402, "insufficient_credits")
    assert "This costs 1005 credits, but the account has 1000." in refusal(response)["message"]
    assert fingerprint() == before
    assert use(client, quantity=200).json()["data"]["balance"] == 0


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"operation_type": "unknown"}, "operation_type"),
    ({"operation_type": "retired"}, "operation_type"),
    ({"operation_type": "Article"}, "operation_type"),
    ({"operation_type": ""}, "operation_type"),
    ({"operation_type": 1}, "operation_type"),
    *(
        ({"quantity": value}, "quantity")
        for value in (0, -1, 1_000_001, 1.0, 1.5, "1", True, None, [], 10**30, "１")
    ),
    *(({"site": value}, "site") for value in (0, "1", None, True, 1.0, 2**63)),
    *(
        ({"metadata": value}, "metadata")
        for value in (
            None, [], "x", 1, {"a": "\u202e"}, {"a\u200b": 1}, {"a": ["\u0007"]}, {"a": {"b": {"c": {"d": {}}}}},
            {"a": [[[[]]]]}, {"a": "x" * 4090}, {"a": "é" * 2045}, {str(number): 0 for number in range(600)},
        )
    ),
    ({"credits": 1}, "credits"),
    ({"account": 1}, "account"),
]  # fmt: skip


def test_what_is_wrong_is_400_by_name(alice: User, as_user: Login) -> None:
    make.credit_cost(operation_type="retired", is_active=False)
    client = as_user(alice)
    before = fingerprint()

    for body, field in WRONG:
        response = use(client, **body)

        assert response.status_code == 400, ascii(body)[:200]
        assert list(refusal(response)["errors"]) == [field], ascii(body)[:200]
    assert fingerprint() == before


@pytest.mark.parametrize(
    "metadata",
    [{}, {"a": {"b": {"c": {"d": 1}}}}, {"a": [[[1]]]}, {"a": "x" * 4088}, {"text": "line\nline\t"}, {"👩‍👩‍👧": "Zoë"}],
    ids=lambda value: ascii(value)[:40],
)
def test_small_plain_metadata_is_kept_as_it_was_sent(alice: User, as_user: Login, metadata: dict[str, Any]) -> None:
    assert use(as_user(alice), metadata=metadata).status_code == 201
    assert CreditUsageLog.objects.get().metadata == metadata


def test_a_cost_beyond_what_the_log_can_hold_is_400(alice: User, as_user: Login, account_a: Account) -> None:
    make.credits(account_a, 10**12)
    CreditCostConfig.objects.update(credits_per_unit=2**31 - 1)
    client = as_user(alice)
    before = fingerprint()

    response = use(client, quantity=2)

    assert (response.status_code, list(refusal(response)["errors"])) == (400, ["quantity"])
    assert fingerprint() == before
    assert use(client, quantity=1).status_code == 201


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"status": "pending_payment"}, 402),
        ({"status": "suspended", "suspended_reason": "operator"}, 403),
        ({"status": "canceled"}, 403),
        ({"status": "past_due"}, 201),
    ],
    ids=str,
)
def test_an_account_that_may_not_use_the_product_spends_nothing(
    alice: User, as_user: Login, account_a: Account, state: dict[str, str], status: int
) -> None:
    client = as_user(alice)
    Account.objects.filter(pk=account_a.pk).update(**state)

    response = use(client)

    assert response.status_code == status
    assert CreditUsageLog.objects.count() == (status == 201)


def test_a_suspension_that_came_after_the_request_was_let_in_stops_it(alice: User, account_a: Account) -> None:
    stale = Account.objects.get(pk=account_a.pk)
    Account.objects.filter(pk=account_a.pk).update(status="suspended", suspended_reason="operator")

    with pytest.raises(AccountSuspended):
        CreditService.use(stale, "article", 1, user=alice)

    assert not CreditUsageLog.objects.exists()


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_a_key_that_the_ledger_knows_takes_nothing_again_when_the_answer_is_forgotten(
    alice: User, as_user: Login, account_a: Account
) -> None:
    client = as_user(alice)
    first = use(client, "order-1")
    IdempotentAnswer.objects.all().delete()

    again = use(client, "order-1")

    assert again.status_code == 201
    assert again.json()["data"] == first.json()["data"]
    assert "Idempotent-Replayed" not in again
    account_a.refresh_from_db()
    assert account_a.credits == 985


@pytest.mark.parametrize("body", [{"quantity": 4}, {"operation_type": "image"}], ids=str)
def test_an_old_key_does_not_pay_for_something_else(alice: User, as_user: Login, body: dict[str, Any]) -> None:
    make.credit_cost(operation_type="image")
    client = as_user(alice)
    use(client, "order-1")
    IdempotentAnswer.objects.all().delete()
    before = fingerprint()

    response = use(client, "order-1", **body)

    assert (response.status_code, refusal(response)["code"]) == (SpendKeyReused.http_status, SpendKeyReused.code)
    assert fingerprint() == before


def test_the_same_key_of_two_users_is_two_spends(alice: User, editor: User, as_user: Login, account_a: Account) -> None:
    key = "k" * 255

    balances = [use(as_user(user), key).json()["data"]["balance"] for user in (alice, editor, alice)]

    assert balances == [985, 970, 985]
    assert CreditTransaction.objects.filter(account=account_a, transaction_type="usage").count() == 2
