"""GET billing/credits/expiring/."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import CreditGrant, CreditGrantKind
from tests import make
from tests.api.world import refusal

pytestmark = pytest.mark.django_db

EXPIRING = "/api/v1/billing/credits/expiring/"
NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def grant(account: Account, amount: int, after: timedelta | None, kind: str = CreditGrantKind.PLAN) -> None:
    make.credits(account, amount, kind=kind, expires_at=None if after is None else NOW + after)


def test_grants_that_expire_in_time_are_told_soonest_first_with_their_sum(
    bob: User, account_a: Account, as_user: Callable[[User], APIClient]
) -> None:
    grant(account_a, 30, timedelta(days=20), CreditGrantKind.PURCHASE)
    grant(account_a, 20, timedelta(days=20))
    grant(account_a, 10, timedelta(days=3))

    data = as_user(bob).get(EXPIRING).json()["data"]

    assert data == {
        "total": 60,
        "grants": [
            {"kind": "plan", "remaining": 10, "expires_at": "2026-12-04T09:30:00Z"},
            {"kind": "plan", "remaining": 20, "expires_at": "2026-12-21T09:30:00Z"},
            {"kind": "purchase", "remaining": 30, "expires_at": "2026-12-21T09:30:00Z"},
        ],
    }


@pytest.mark.parametrize(("query", "days"), [({}, 30), ({"days": "1"}, 1), ({"days": "365"}, 365)])
def test_the_last_moment_of_the_days_counts_and_the_next_one_does_not(
    alice: User, account_a: Account, as_user: Callable[[User], APIClient], query: dict[str, str], days: int
) -> None:
    grant(account_a, 1, timedelta(days=days))
    grant(account_a, 2, timedelta(days=days, microseconds=1))

    assert as_user(alice).get(EXPIRING, query).json()["data"]["total"] == 1


def test_what_is_spent_has_expired_or_never_expires_is_not_told(
    alice: User, account_a: Account, as_user: Callable[[User], APIClient]
) -> None:
    for after in (timedelta(days=1), timedelta(0), None):
        grant(account_a, 5, after)
    CreditGrant.objects.filter(account=account_a, expires_at__gt=NOW).update(remaining=0)

    assert as_user(alice).get(EXPIRING).json()["data"] == {"total": 0, "grants": []}


def test_another_account_s_grants_are_neither_shown_nor_summed(
    alice: User, account_a: Account, charlie: User, as_user: Callable[[User], APIClient]
) -> None:
    assert charlie.account
    grant(account_a, 5, timedelta(days=1))
    grant(charlie.account, 7, timedelta(days=1))

    data = as_user(alice).get(EXPIRING).json()["data"]

    assert (data["total"], [shown["remaining"] for shown in data["grants"]]) == (5, [5])


def test_the_sum_is_of_all_grants_where_only_the_first_hundred_are_shown(
    alice: User, account_a: Account, as_user: Callable[[User], APIClient]
) -> None:
    CreditGrant.objects.bulk_create(
        CreditGrant(
            account=account_a, kind="plan", source=f"test:{number}", amount=1, remaining=1, created_at=NOW,
            expires_at=NOW + timedelta(hours=number),
        )
        for number in range(1, 103)
    )  # fmt: skip

    data = as_user(alice).get(EXPIRING).json()["data"]

    assert (data["total"], len(data["grants"])) == (102, 100)


@pytest.mark.parametrize("days", ["0", "366", "-1", "+1", "1.5", "01", "", "month", "٣", "9" * 400])
def test_days_that_are_none_are_400(alice: User, as_user: Callable[[User], APIClient], days: str) -> None:
    response = as_user(alice).get(EXPIRING, {"days": days})

    assert response.status_code == 400
    assert refusal(response)["errors"] == {"days": ["Expected a whole number from 1 to 365."]}


def test_it_asks_for_the_session_and_once_for_the_grants(
    alice: User, account_a: Account, as_user: Callable[[User], APIClient], statements: list[str]
) -> None:
    for days in (1, 2, 3):
        grant(account_a, 5, timedelta(days=days))
    client = as_user(alice)
    client.get(EXPIRING)
    statements.clear()

    client.get(EXPIRING)

    assert len(statements) == 2
