"""Balance and newest invoices by prepared statements: to the last letter what plain queries and serializers give."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIClient

from igny8_core.auth.callers import Reading
from igny8_core.auth.models import Account, User
from igny8_core.business.billing.api.credit_serializers import BalanceOutput
from igny8_core.business.billing.hot_reads import (
    FirstPage,
    balance_of,
    first_invoices_of,
    read_balance,
    read_first_invoices,
)
from igny8_core.business.billing.models import CreditGrantKind, Invoice
from igny8_core.business.billing.selectors import invoices_of, live_grants_of, spendable_credits
from igny8_core.business.billing.serializers import InvoiceOutput
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make, reading

pytestmark = pytest.mark.django_db

INVOICES = "/api/v1/billing/invoices/"
LINES = [
    {"description": "Ein Plan über „ü“", "quantity": 1, "amount": "89.00", "credits": 1000},
    {"description": "Extra", "quantity": 3, "amount": "0.5"},
]


@pytest.fixture(params=[True, False], ids=["prepared", "sent whole"], autouse=True)
def either_way(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.DATABASE_PREPARED_STATEMENTS = request.param


@pytest.fixture(params=[reading.with_session, reading.alone])
def read(request: pytest.FixtureRequest) -> Callable[[Reading, User], list[tuple[Any, ...]]]:
    return request.param  # type: ignore[no-any-return]


def written(data: Any) -> Any:
    return json.loads(JSONRenderer().render(data))


def plain_balance(account: Account, grants: int) -> Any:
    balance = {
        "credits": spendable_credits(account),
        "plan_credits": account.plan.included_credits,
        "grants": live_grants_of(account)[:grants],
    }
    return written(BalanceOutput(balance).data)


def grant_all_kinds(account: Account) -> None:
    day = timezone.now() + timedelta(days=10)
    for kind in (CreditGrantKind.PURCHASE, CreditGrantKind.PLAN):
        for expires_at in (None, day, day - timedelta(days=1), timezone.now() - timedelta(seconds=5)):
            make.credits(account, 7, kind=kind, expires_at=expires_at)


@pytest.mark.parametrize("grants", [100, 2])
def test_a_balance_is_what_the_plain_queries_give(
    account_a: Account, alice: User, charlie: User, read: Any, grants: int
) -> None:
    assert charlie.account
    grant_all_kinds(account_a)
    make.credits(charlie.account, 99)

    balance = written(balance_of(read(read_balance(grants_shown=grants), alice)))

    assert balance == plain_balance(account_a, grants)
    assert balance["credits"] == 42
    assert len(balance["grants"]) == min(grants, 6)


def test_an_account_without_credits_has_a_balance_of_none(account_a: Account, alice: User, read: Any) -> None:
    balance = balance_of(read(read_balance(grants_shown=5), alice))

    assert written(balance) == plain_balance(account_a, 5)
    assert balance["credits"] == 0


def make_all_kinds_of_invoices(account: Account, olga: User) -> None:
    for number, currency in enumerate(["USD", "JPY", "KWD", "PKR"]):
        amount = "89" if currency == "JPY" else "12.5"
        lines = [{"description": f"Line {number}", "quantity": 2, "amount": amount}]
        make.invoice(account, line_items=lines, currency=currency)
    paid = make.submitted_payment(make.invoice(account, line_items=LINES))
    # A whole second is written without a fraction, half of one with six digits.
    second = timezone.now().replace(microsecond=0) + timedelta(seconds=2)
    with time_machine.travel(second, tick=False):
        PaymentService.approve_manual_payment(paid, olga)
    make.submitted_payment(make.subscription(account).invoices.get())
    Invoice.objects.create(
        account=account,
        invoice_number="INV-BARE",
        currency="USD",
        subtotal=Decimal("0.1"),
        total=Decimal("0.1"),
        invoice_date=timezone.now().date(),
        due_date=timezone.now().date(),
    )
    Invoice.objects.filter(invoice_number="INV-BARE").update(created_at=second + timedelta(seconds=0.5))


@pytest.mark.parametrize("size", [100, 3])
def test_the_newest_invoices_are_what_the_plain_query_gives(
    account_a: Account, alice: User, olga: User, charlie: User, read: Any, size: int
) -> None:
    make_all_kinds_of_invoices(account_a, olga)
    make.invoice(charlie.account)

    page = first_invoices_of(read(read_first_invoices(size=size, count_limit=5), alice))

    plain = InvoiceOutput(invoices_of(account_a)[:size], many=True).data
    assert len(plain) == min(size, 7)
    assert len(str(plain[0]["created_at"])) == len("2026-11-30T10:00:00.500000Z")
    assert size == 3 or any(len(row["paid_at"] or "") == len("2026-11-30T10:00:00Z") for row in plain)
    assert written(page.rows) == written(plain)
    assert [list(row) for row in page.rows] == [list(row) for row in plain]
    assert page.count == 5


@pytest.mark.parametrize("size", ["", "&page_size=3", "&page_size=7", "&page_size=100"])
def test_the_first_page_is_the_one_that_every_list_makes(
    alice: User, olga: User, as_user: Callable[[User], APIClient], size: str
) -> None:
    assert alice.account
    make_all_kinds_of_invoices(alice.account, olga)
    client = as_user(alice)

    quick, plain = client.get(f"{INVOICES}?{size[1:]}"), client.get(f"{INVOICES}?page=1{size}")

    # The links repeat the parameters of their request, `page` among them.
    assert quick.json()["data"] == plain.json()["data"]
    assert {**quick.json(), "next": None} == {**plain.json(), "next": None}
    assert bool(quick.json()["next"]) == bool(plain.json()["next"]) == (size == "&page_size=3")


def test_without_invoices_the_page_is_empty(alice: User, read: Any) -> None:
    assert first_invoices_of(read(read_first_invoices(size=5, count_limit=5), alice)) == FirstPage([], 0)


def test_an_account_without_invoices_has_an_empty_first_page(alice: User, as_user: Callable[[User], APIClient]) -> None:
    answer = as_user(alice).get(INVOICES)

    assert answer.json() == {"success": True, "data": [], "count": 0, "next": None, "previous": None}


@pytest.mark.parametrize("query", ["page_size=0", "page_size=101", "page_size=x", "page_size=1&page_size=2", "a=1"])
def test_the_first_page_refuses_what_every_list_refuses(
    alice: User, as_user: Callable[[User], APIClient], query: str
) -> None:
    assert as_user(alice).get(f"{INVOICES}?{query}").status_code == 400
