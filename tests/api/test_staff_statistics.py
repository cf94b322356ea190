"""The figures of the operators' dashboard are those of the rows, counted in months of UTC."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing import reports
from igny8_core.business.billing.models import CreditNote, Payment
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common import clock
from tests import make

pytestmark = pytest.mark.django_db

STATISTICS = "/api/v1/admin/dashboard/stats/"
Login = Callable[[User], APIClient]


@pytest.fixture
def operator(olga: User, as_user: Login) -> APIClient:
    return as_user(olga)


def figures(operator: APIClient) -> dict[str, Any]:
    response = operator.get(STATISTICS)
    assert response.status_code == 200, response.content
    data: dict[str, Any] = response.json()["data"]
    return data


def captured(olga: User, plan: str = "starter", **fields: Any) -> Payment:
    order = make.subscription(plan_ordered=make.plan(plan, **fields))
    return PaymentService.approve_manual_payment(make.submitted_payment(order.invoices.get()), olga).payment


def month(ago: int) -> datetime:
    """The first moment of a month, counted back from this one."""
    now = timezone.now().astimezone(UTC)
    number = now.year * 12 + now.month - 1 - ago
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


@contextmanager
def standing_at(moment: datetime) -> Iterator[None]:
    clock.stand_at(moment)
    try:
        yield
    finally:
        clock.stand_at(None)


def credit_note(payment: Payment, amount: str, at: datetime) -> None:
    CreditNote.objects.create(
        account=payment.account,
        invoice=payment.invoice,
        payment=payment,
        credit_note_number=f"CN-{payment.pk}-{amount}",
        amount=Decimal(amount),
        currency=payment.currency,
        reason="Goodwill",
        created_at=at,
    )


def test_an_empty_platform_has_figures_too(operator: APIClient) -> None:
    data = figures(operator)

    assert [row["status"] for row in data["accounts_by_status"]] == [
        "trial", "pending_payment", "active", "past_due", "suspended", "canceled",
    ]  # fmt: skip
    assert {row["accounts"] for row in data["accounts_by_status"]} == {0}
    assert [row["month"] for row in data["new_accounts_by_month"]] == [
        f"{month(ago):%Y-%m}" for ago in range(11, -1, -1)
    ]
    assert data["active_subscriptions"] == {"total": 0, "by_plan": []}
    assert data["mrr"] == []
    assert data["revenue"] == {"this_month": [], "by_month": []}
    assert data["credits_this_month"] == {"issued": 0, "used": 0, "expired": 0, "taken_back": 0}
    assert data["pending_approvals"] == {"count": 0, "oldest_at": None, "oldest_age_hours": None}
    assert data["failed_payments"] == {"count": 0, "latest": []}
    assert data["recent_activity"] == []


def test_accounts_are_counted_by_status_and_by_month(operator: APIClient) -> None:
    for status, ago in (("active", 0), ("active", 1), ("trial", 11), ("canceled", 12)):
        account = make.account(status=status)
        Account.objects.filter(pk=account.pk).update(created_at=month(ago))
    gone = make.account(status="canceled")
    Account.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    edge = make.account()
    Account.objects.filter(pk=edge.pk).update(created_at=month(0) - timedelta(microseconds=1))

    data = figures(operator)

    counted = {row["status"]: row["accounts"] for row in data["accounts_by_status"]}
    assert (counted["active"], counted["trial"], counted["canceled"], counted["suspended"]) == (3, 1, 2, 0)
    assert [row["accounts"] for row in data["new_accounts_by_month"]] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1]


def test_recurring_revenue_adds_up_by_currency_and_is_rounded_once(operator: APIClient, olga: User) -> None:
    for _ in range(3):
        captured(olga, "annual", price=Decimal("100.00"), billing_cycle="annual")
    captured(olga)
    captured(olga, "yen", price=Decimal("5000"), currency="JPY")
    make.subscription()  # not paid yet
    ended = captured(olga).invoice.subscription
    Subscription.objects.filter(pk=ended.pk).update(status="canceled")
    late = captured(olga, "late", price=Decimal("7.00")).invoice.subscription
    Subscription.objects.filter(pk=late.pk).update(status="past_due")

    data = figures(operator)

    # 3 × 100 / 12 + 89 + 7; each of the three rounded would be 8.33, and 120.99 together.
    assert data["mrr"] == [{"currency": "JPY", "amount": "5000"}, {"currency": "USD", "amount": "121.00"}]
    assert data["active_subscriptions"] == {
        "total": 5,
        "by_plan": [
            {"plan": "annual", "name": "Annual", "subscriptions": 3},
            {"plan": "starter", "name": "Starter", "subscriptions": 1},
            {"plan": "yen", "name": "Yen", "subscriptions": 1},
        ],
    }


def test_revenue_is_what_came_in_less_what_went_back_in_the_month_of_each(operator: APIClient, olga: User) -> None:
    this = captured(olga)
    with standing_at(month(0) - timedelta(microseconds=1)):
        last = captured(olga)
    with standing_at(month(1)):
        yen = captured(olga, "yen", price=Decimal("5000"), currency="JPY")
    with standing_at(month(12)):
        old = captured(olga)
    make.submitted_payment()
    credit_note(last, "89.00", month(0))
    credit_note(last, "0.50", month(1))
    credit_note(yen, "1000", month(0))
    credit_note(old, "1.00", month(12))

    revenue = figures(operator)["revenue"]

    assert this.amount == Decimal(89)
    now, before = f"{month(0):%Y-%m}", f"{month(1):%Y-%m}"
    assert revenue["this_month"] == [
        {"month": now, "currency": "JPY", "gross": "0", "refunded": "1000", "net": "-1000"},
        {"month": now, "currency": "USD", "gross": "89.00", "refunded": "89.00", "net": "0.00"},
    ]
    assert len(revenue["by_month"]) == 24
    assert revenue["by_month"][-2:] == revenue["this_month"]
    assert revenue["by_month"][-4:-2] == [
        {"month": before, "currency": "JPY", "gross": "5000", "refunded": "0", "net": "5000"},
        {"month": before, "currency": "USD", "gross": "89.00", "refunded": "0.50", "net": "88.50"},
    ]
    assert {row["gross"] for row in revenue["by_month"][:-4]} == {"0", "0.00"}


def test_credits_of_this_month_are_counted_by_what_became_of_them(operator: APIClient, alice: User) -> None:
    make.credits(alice.account, 500)
    make.credits(alice.account, 40, expires_at=timezone.now() + timedelta(microseconds=1))
    CreditService.spend(alice.account, 120, operation_type="article")
    CreditService.expire(alice.account)

    CreditService.adjust(alice.account, -30, reason="Given twice", adjusted_by=make.operator())

    flow = {"issued": 540, "used": 120, "expired": 40, "taken_back": 30}
    assert figures(operator)["credits_this_month"] == flow


def test_what_waits_and_what_failed_is_shown(operator: APIClient) -> None:
    waiting = [make.submitted_payment() for _ in range(2)]
    Payment.objects.filter(pk=waiting[1].pk).update(created_at=timezone.now() - timedelta(hours=49, minutes=30))
    failed = [PaymentService.reject_manual_payment(make.submitted_payment(), "Not seen") for _ in range(12)]
    Payment.objects.filter(pk=failed[0].pk).update(failed_at=timezone.now() - timedelta(days=31))

    data = figures(operator)

    assert (data["pending_approvals"]["count"], data["pending_approvals"]["oldest_age_hours"]) == (2, 49)
    assert data["failed_payments"]["count"] == 11
    assert [row["id"] for row in data["failed_payments"]["latest"]] == [payment.pk for payment in failed[:1:-1]]
    assert data["failed_payments"]["latest"][0]["failure_reason"] == "Not seen"


def test_recent_activity_is_the_last_twenty_events(operator: APIClient, olga: User) -> None:
    for _ in range(6):
        captured(olga)

    activity = figures(operator)["recent_activity"]

    assert len(activity) == 20
    assert [row["id"] for row in activity] == sorted((row["id"] for row in activity), reverse=True)
    approved = next(row for row in activity if row["type"] == "payment.approved")
    assert (approved["actor"], approved["object_type"]) == ("olga@example.com", "billing.payment")
    assert approved["account_name"].startswith("Account")


def test_the_figures_cost_the_same_however_much_there_is(operator: APIClient, olga: User) -> None:
    captured(olga)
    PaymentService.reject_manual_payment(make.submitted_payment(), "Not seen")
    operator.get(STATISTICS)
    with CaptureQueriesContext(connection) as few:
        figures(operator)
    for number in range(5):
        captured(olga, f"plan-{number}", currency="EUR")
        PaymentService.reject_manual_payment(make.submitted_payment(), "Not seen")

    with CaptureQueriesContext(connection) as many:
        figures(operator)

    assert len(many) == len(few)


@pytest.mark.django_db
def test_recurring_revenue_of_a_hundred_prices_is_exact() -> None:
    yearly = make.plan("yearly", billing_cycle="annual")
    for number in range(1, 101):
        make.running_subscription(yearly, price=Decimal(7 * number) / 100)

    # 353.50 a year.
    assert reports.monthly_recurring_revenue() == [reports.CurrencyAmount("USD", Decimal("29.46"))]
