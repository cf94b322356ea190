"""GET account/usage/analytics/."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from igny8_core.business.billing.services.credit_service import CreditService
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import CreditCostConfig, CreditUsageLog
from tests import make
from tests.api.world import refusal

pytestmark = pytest.mark.django_db

ANALYTICS = "/api/v1/account/usage/analytics/"
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def test_the_answer_tells_totals_series_operations_average_and_projection(
    alice: User, account_a: Account, as_user: Callable[[User], APIClient]
) -> None:
    account_a.timezone = "Asia/Karachi"
    account_a.save()
    CreditCostConfig.objects.create(operation_type="article", display_name="Article", credits_per_unit=1, unit="x")
    for days, operation, amount in [(0, "article", 30), (1, "article", 30), (1, "image", 20), (40, "image", 99)]:
        CreditUsageLog.objects.create(
            account=account_a, operation_type=operation, credits=amount, created_at=NOW - timedelta(days=days)
        )

    with time_machine.travel(NOW, tick=False):
        data = as_user(alice).get(ANALYTICS, {"from": "2026-11-20", "granularity": "day"}).json()["data"]

    assert (data["date_from"], data["date_to"], data["timezone"]) == ("2026-11-20", "2026-11-22", "Asia/Karachi")
    assert data["totals"] == {"credits": 80, "operations": 3}
    assert data["average_per_day"] == "26.67"
    assert data["series"] == [
        {"start": "2026-11-20", "credits": 0, "operations": 0},
        {"start": "2026-11-21", "credits": 50, "operations": 2},
        {"start": "2026-11-22", "credits": 30, "operations": 1},
    ]
    article = {"operation_type": "article", "display_name": "Article", "credits": 60, "operations": 2}
    assert data["by_operation"] == [
        article | {"percent": "75.00"},
        {"operation_type": "image", "display_name": "image", "credits": 20, "operations": 1, "percent": "25.00"},
    ]
    assert data["top_operations"] == data["by_operation"]
    assert data["projection"] == {"month": "2026-11-01", "credits_used": 80, "projected_credits": 113}


def test_without_parameters_it_is_the_last_thirty_days(bob: User, as_user: Callable[[User], APIClient]) -> None:
    make.credits(bob.account, 10)
    CreditService.spend(bob.account, 4, operation_type="article")

    data = as_user(bob).get(ANALYTICS).json()["data"]

    assert len(data["series"]) == 30
    assert (data["series"][-1]["credits"], data["totals"]["credits"]) == (4, 4)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-11-22", "to": "2026-11-21"}, "from"),
        ({"from": "2025-11-20", "to": "2026-11-21"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": ""}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"to": "２０２６-11-21"}, "to"),
        ({"granularity": "hour"}, "granularity"),
        ({"account": "1"}, "account"),
    ],
)
def test_a_parameter_that_is_none_is_400(
    alice: User, as_user: Callable[[User], APIClient], query: dict[str, str], field: str
) -> None:
    response = as_user(alice).get(ANALYTICS, query)

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == [field]
