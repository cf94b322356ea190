"""What is locked by prepared statements is what the ORM would read: the same columns, the same types."""

from typing import Any

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, Plan
from igny8_core.business.billing.errors import PaymentNotFound
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import Payment
from igny8_core.common.errors import NotFound
from igny8_core.common.prepared_rows import Columns
from tests import make


@pytest.fixture(params=[True, False], ids=["prepared", "sent whole"], autouse=True)
def either_way(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.DATABASE_PREPARED_STATEMENTS = request.param


def loaded(row: models.Model) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if not name.startswith("_")}


@pytest.mark.django_db
def test_a_locked_account_is_the_row_that_the_orm_reads() -> None:
    account = make.owner().account
    assert account

    assert loaded(lock_account(account.pk)) == loaded(Account.objects.get(pk=account.pk))


@pytest.mark.django_db
def test_a_locked_payment_and_all_that_comes_with_it_are_the_rows_that_the_orm_reads() -> None:
    payment = make.submitted_payment()

    locked = lock_payment(lock_account(payment.account_id), payment.pk)

    plain = Payment.objects.select_related("invoice__subscription__plan").get(pk=payment.pk)
    pairs: list[tuple[models.Model, models.Model]] = [
        (locked, plain),
        (locked.invoice, plain.invoice),
        (locked.invoice.subscription, plain.invoice.subscription),  # type: ignore[list-item]
        (locked.invoice.subscription.plan, plain.invoice.subscription.plan),  # type: ignore[union-attr]
    ]
    for mine, expected in pairs:
        assert mine == expected
        assert loaded(mine).items() <= loaded(expected).items()
        assert mine._state.db == expected._state.db
        assert not mine._state.adding
    assert locked.account is locked.invoice.account


@pytest.mark.django_db
def test_a_payment_of_an_invoice_without_a_subscription_has_none() -> None:
    payment = make.submitted_payment(make.invoice())

    locked = lock_payment(lock_account(payment.account_id), payment.pk)

    assert locked.invoice.subscription is None


@pytest.mark.django_db
def test_another_account_s_payment_is_not_found() -> None:
    payment, stranger = make.submitted_payment(), make.account()

    with pytest.raises(PaymentNotFound):
        lock_payment(lock_account(stranger.pk), payment.pk)
    with pytest.raises(NotFound):
        lock_account(0)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_locked() -> None:
    account = make.account()

    with pytest.raises(RuntimeError, match="needs a transaction"):
        lock_account(account.pk)


@pytest.mark.django_db
def test_a_column_that_was_not_selected_is_loaded_when_it_is_looked_at() -> None:
    plan = make.plan()
    columns = Columns(Plan, "slug")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns.sql('plan')} FROM igny8_plans plan WHERE id = %s", [plan.pk])
        read = columns.row(cursor.fetchone())

    with CaptureQueriesContext(connection) as queries:
        assert read.slug == plan.slug
        assert read.name == plan.name
    assert len(queries) == 1


def test_a_column_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Plan has no columns colour\."):
        Columns(Plan, "slug", "colour")
