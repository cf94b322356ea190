"""What each operation asks of the database: the account's lock before the first write, and no statement too many."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_methods.saved import add_method
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payments.credit_orders import buy_credits
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from tests import make
from tests.concurrency.sql_trace import ACCOUNT_LOCK, first_write, sent_by, summary

APPROVE = [
    "BEGIN",
    "EXECUTE igny8_lock_account",
    "EXECUTE igny8_lock_payment",
    "EXECUTE igny8_transition_payments",
    "EXECUTE igny8_settle_invoice",
    "EXECUTE igny8_transition_subscriptions",
    "EXECUTE igny8_transition_accounts",
    "EXECUTE igny8_grant_credits",
    "EXECUTE igny8_record_events",
    "COMMIT",
]
SPEND = ["BEGIN", "EXECUTE igny8_lock_balance", "EXECUTE igny8_spend_credits", "COMMIT"]
FIRST_SPEND = [
    "BEGIN",
    "PREPARE igny8_lock_balance",
    "EXECUTE igny8_lock_balance",
    "PREPARE igny8_spend_credits",
    "EXECUTE igny8_spend_credits",
    "COMMIT",
]


def spend(tenant: Account) -> object:
    return CreditService.spend(tenant, 1, operation_type="image_generation")


@pytest.mark.usefixtures("books_balance")
def test_an_approval_takes_ten_statements() -> None:
    olga = make.operator()
    first, second = make.submitted_payment(), make.submitted_payment()
    PaymentService.approve_manual_payment(first, olga)

    statements = sent_by(lambda: PaymentService.approve_manual_payment(second, olga))

    assert [summary(sql) for sql in statements] == APPROVE


@pytest.mark.usefixtures("books_balance")
def test_a_spend_is_a_lock_and_one_statement() -> None:
    tenant = make.owner().account
    assert tenant
    make.credits(tenant, 10)
    transaction.get_connection().close()

    first, second = sent_by(lambda: spend(tenant)), sent_by(lambda: spend(tenant))

    assert [summary(sql) for sql in first] == FIRST_SPEND
    assert [summary(sql) for sql in second] == SPEND


def _approve() -> Callable[[], object]:
    payment, olga = make.submitted_payment(), make.operator()
    return lambda: PaymentService.approve_manual_payment(payment, olga)


def _reject() -> Callable[[], object]:
    payment = make.submitted_payment()
    return lambda: PaymentService.reject_manual_payment(payment, "Not on the statement")


def _confirm() -> Callable[[], object]:
    make.payment_method()
    invoice = make.invoice()
    return lambda: PaymentService.create_manual_payment(invoice, "bank_transfer", "BT-1")


def _invoice() -> Callable[[], object]:
    tenant = make.owner().account
    return lambda: make.invoice(tenant)


def _void() -> Callable[[], object]:
    invoice = make.invoice()
    return lambda: InvoiceService.mark_void(invoice, "Mistake")


def _subscribe() -> Callable[[], object]:
    make.payment_method()
    tenant, plan = make.owner().account, make.plan()
    return lambda: SubscriptionService.create_subscription(tenant, plan, "bank_transfer")


def _grant() -> Callable[[], object]:
    tenant = make.owner().account
    assert tenant
    return lambda: make.credits(tenant, 10)


def _spend() -> Callable[[], object]:
    tenant = make.owner().account
    assert tenant
    make.credits(tenant, 10)
    return lambda: spend(tenant)


def _expire() -> Callable[[], object]:
    tenant = make.owner().account
    assert tenant
    make.credits(tenant, 10, expires_at=timezone.now() - timedelta(minutes=1))
    return lambda: CreditService.expire(tenant)


def _refund() -> Callable[[], object]:
    payment = PaymentService.approve_manual_payment(make.submitted_payment(), make.operator()).payment
    return lambda: PaymentService.process_refund(payment)


def _use() -> Callable[[], object]:
    owner = make.owner()
    assert owner.account
    make.credit_cost()
    make.credits(owner.account, 10)
    return lambda: CreditService.use(owner.account, "article", 1, user=owner)


def _adjust(amount: int) -> Callable[[], object]:
    tenant, olga = make.owner().account, make.operator()
    assert tenant
    make.credits(tenant, 10)
    return lambda: CreditService.adjust(tenant, amount, reason="Goodwill", adjusted_by=olga)


def _give() -> Callable[[], object]:
    return _adjust(5)


def _take() -> Callable[[], object]:
    return _adjust(-5)


def _buy() -> Callable[[], object]:
    owner = make.owner()
    make.payment_method()
    make.credit_package()
    return lambda: buy_credits(owner.account, "pro", "", owner)


def _save_method() -> Callable[[], object]:
    owner = make.owner()
    make.payment_method()
    return lambda: add_method(owner.account, "bank_transfer", "", owner)


MONEY = [_approve, _reject, _confirm, _refund, _invoice, _void, _subscribe, _buy, _save_method]
CREDITS = [_grant, _spend, _use, _give, _take, _expire]


@pytest.mark.parametrize("prepare", [*MONEY, *CREDITS])
@pytest.mark.django_db
def test_the_account_is_locked_before_the_first_write(
    prepare: Callable[[], Callable[[], object]], settings: Any
) -> None:
    # Sent whole instead of prepared, so that the trace shows the SQL.
    settings.DATABASE_PREPARED_STATEMENTS = False
    call = prepare()

    statements = sent_by(call)

    position = first_write(statements)
    locked_before = any(ACCOUNT_LOCK.search(sql) for sql in statements[:position])
    # A grant locks in the part of its one statement that the first insert reads from.
    locked_within = ACCOUNT_LOCK.search(statements[position].partition("INSERT INTO")[0])
    assert locked_before or locked_within, statements


def test_an_authenticated_request_loads_session_user_and_account_in_one_query(
    alice: User, as_user: Callable[[User], APIClient], statements: list[str]
) -> None:
    client = as_user(alice)
    statements.clear()

    answer = client.get("/api/v1/account/limits/")

    assert answer.status_code == 200
    first, *others = (sql for sql in statements if not sql.startswith("PREPARE"))
    assert summary(first) == "EXECUTE igny8_person_of_session"
    # It uses all of them, and reads none of them again.
    for read in ('FROM "igny8_login_sessions"', '"igny8_users"."id" =', 'FROM "igny8_accounts"', 'FROM "igny8_plans"'):
        assert read not in " ".join(others)


def _add_invoice(tenant: Account, number: int) -> None:
    make.invoice(tenant, subscription=tenant.subscriptions.first() or make.subscription(tenant))


def _add_payment(tenant: Account, number: int) -> None:
    make.submitted_payment(make.invoice(tenant))


def _add_transaction(tenant: Account, number: int) -> None:
    make.credits(tenant, 1)


def _add_site(tenant: Account, number: int) -> None:
    make.site(tenant, industry=make.industry(slug=f"industry-{number}", name=f"Industry {number}"))


def _add_plan(tenant: Account, number: int) -> None:
    make.plan(f"plan-{number}")


def _add_industry(tenant: Account, number: int) -> None:
    make.industry(slug=f"industry-{number}", name=f"Industry {number}")


@pytest.mark.parametrize(
    ("path", "add"),
    [
        ("/api/v1/billing/invoices/", _add_invoice),
        ("/api/v1/billing/payments/", _add_payment),
        ("/api/v1/billing/credits/transactions/", _add_transaction),
        ("/api/v1/billing/credits/balance/", _add_transaction),
        ("/api/v1/sites/", _add_site),
        ("/api/v1/auth/plans/", _add_plan),
        ("/api/v1/auth/industries/", _add_industry),
    ],
)
def test_a_list_of_30_rows_takes_as_many_queries_as_a_list_of_one(
    path: str,
    add: Callable[[Account, int], None],
    alice: User,
    account_a: Account,
    as_user: Callable[[User], APIClient],
    statements: list[str],
    settings: Any,
) -> None:
    settings.MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY = 100
    client = as_user(alice)
    page = "" if "balance" in path else "?page_size=100"

    def queries() -> tuple[int, int]:
        statements.clear()
        data = client.get(path + page).json()["data"]
        asked = [sql for sql in statements if not sql.startswith("PREPARE")]
        return len(asked), len(data["grants"] if path.endswith("balance/") else data)

    add(account_a, 1)
    for_one, rows_before = queries()
    for number in range(2, 31):
        add(account_a, number)
    for_thirty, rows_after = queries()

    assert rows_after - rows_before == 29
    assert for_thirty == for_one <= 4
