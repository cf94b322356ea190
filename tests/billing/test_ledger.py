"""The credit ledger: which grants are spent, that it only grows, and that both ways of sending its SQL do the same."""

from collections.abc import Callable
from datetime import datetime, timedelta
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from django.core.management import call_command
from django.core.serializers import serialize
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import InsufficientCredits
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import (
    CreditGrant,
    CreditGrantKind,
    CreditTransaction,
    CreditUsageLog,
    Invoice,
    Payment,
)
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.credits.granting import LedgerEntry
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.errors import InvalidInput
from igny8_core.events.models import Event
from tests import make
from tests.billing.ledger_model import Ledger
from tests.cases import run_rounds

pytestmark = pytest.mark.django_db

PLAN, PURCHASE = CreditGrantKind.PLAN, CreditGrantKind.PURCHASE


@pytest.fixture(params=[True, False], ids=["prepared", "sent whole"])
def either_way(request: pytest.FixtureRequest, settings: Any) -> None:
    """The ledger's statements prepared on the connection, and sent whole as behind a pooler."""
    settings.DATABASE_PREPARED_STATEMENTS = request.param


def in_days(days: float) -> datetime:
    return timezone.now() + timedelta(days=days)


def spend(tenant: Account, amount: int, **fields: Any) -> LedgerEntry:
    return CreditService.spend(tenant, amount, **{"operation_type": "image_generation", **fields})


def remaining(tenant: Account) -> dict[str, int]:
    return dict(CreditGrant.objects.filter(account=tenant).values_list("source", "remaining"))


@pytest.mark.usefixtures("either_way")
def test_grants_are_spent_by_expiry_then_plan_before_purchase_then_oldest(account_a: Account) -> None:
    same_day = in_days(10)
    for source, kind, expires_at in [
        ("never, purchase", PURCHASE, None),
        ("never, plan", PLAN, None),
        ("day 10, purchase", PURCHASE, same_day),
        ("day 10, plan, older", PLAN, same_day),
        ("day 10, plan, newer", PLAN, same_day),
        ("day 1", PURCHASE, in_days(1)),
    ]:
        make.credits(account_a, 5, source=source, kind=kind, expires_at=expires_at)

    emptied = []
    for _ in range(6):
        spend(account_a, 5)
        emptied.append(next(grant for grant, left in remaining(account_a).items() if not left and grant not in emptied))

    assert emptied == [
        "day 1",
        "day 10, plan, older",
        "day 10, plan, newer",
        "day 10, purchase",
        "never, plan",
        "never, purchase",
    ]


@pytest.mark.usefixtures("either_way")
def test_a_spend_takes_from_several_grants_and_writes_one_row_of_each_kind(alice: User, account_a: Account) -> None:
    site = make.site(account_a)
    for number, days in enumerate([1, 2, 3]):
        make.credits(account_a, 10, source=f"grant {number}", expires_at=in_days(days))

    entry = spend(account_a, 25, user=alice, site=site, description="Cover", metadata={"image": 7})

    assert remaining(account_a) == {"grant 0": 0, "grant 1": 0, "grant 2": 5}
    row = CreditTransaction.objects.get(pk=entry.id)
    assert (row.amount, row.balance_after, row.description) == (-25, 5, "Cover")
    usage = CreditUsageLog.objects.get()
    assert (usage.credits, usage.user, usage.site, usage.metadata) == (25, alice, site, {"image": 7})
    event = Event.objects.get(type="credits.spent")
    assert (event.object_id, event.actor) == (str(entry.id), alice)
    assert event.data == {"amount": 25, "operation_type": "image_generation", "balance_after": 5}
    account_a.refresh_from_db()
    assert account_a.credits == 5
    assert broken_invariants() == []


@pytest.mark.usefixtures("either_way")
def test_expired_grants_are_not_spent(account_a: Account) -> None:
    make.credits(account_a, 10, source="over", expires_at=in_days(-1))
    make.credits(account_a, 3, source="live")
    before = list(CreditTransaction.objects.values())

    with pytest.raises(InsufficientCredits, match="costs 4 credits, but the account has 3"):
        spend(account_a, 4)

    assert remaining(account_a) == {"over": 10, "live": 3}
    assert list(CreditTransaction.objects.values()) == before
    assert not CreditUsageLog.objects.exists()
    assert not Event.objects.filter(type="credits.spent").exists()


@pytest.mark.usefixtures("either_way")
def test_expiry_takes_back_what_is_left_and_only_that(account_a: Account) -> None:
    make.credits(account_a, 10, source="over", expires_at=in_days(1))
    spend(account_a, 4)
    CreditGrant.objects.update(expires_at=in_days(-1))
    make.credits(account_a, 7, source="live")

    taken, again = CreditService.expire(account_a), CreditService.expire(account_a)

    assert (taken, again) == (6, 0)
    assert remaining(account_a) == {"over": 0, "live": 7}
    assert CreditTransaction.objects.get(transaction_type="expiry").amount == -6
    assert broken_invariants() == []


@pytest.mark.usefixtures("either_way")
def test_a_source_is_granted_once_and_a_key_spent_once(account_a: Account) -> None:
    make.credits(account_a, 10, source="payment of May")
    first = spend(account_a, 4, key="article 1")

    make.credits(account_a, 10, source="payment of May")
    second = spend(account_a, 4, key="article 1")

    assert (second.id, second.balance_after, second.repeated) == (first.id, 6, True)
    account_a.refresh_from_db()
    assert account_a.credits == 6
    assert [event.type for event in Event.objects.filter(type__startswith="credits.").order_by("pk")] == [
        "credits.granted",
        "credits.spent",
    ]


def test_a_key_belongs_to_its_account(account_a: Account, charlie: User) -> None:
    assert charlie.account
    for tenant in (account_a, charlie.account):
        make.credits(tenant, 10, source="payment of May")
        entry = spend(tenant, 4, key="article 1")
        assert not entry.repeated


@pytest.mark.parametrize("amount", [0, -1, True, 1.0, "1"])
def test_an_amount_that_is_no_number_of_credits_is_refused(account_a: Account, amount: Any) -> None:
    make.credits(account_a, 10)

    with pytest.raises(InvalidInput):
        spend(account_a, amount)
    with pytest.raises(InvalidInput):
        make.credits(account_a, amount)

    account_a.refresh_from_db()
    assert account_a.credits == 10


@pytest.mark.usefixtures("either_way")
def test_falling_below_a_tenth_of_the_plan_is_told_once(account_a: Account) -> None:
    make.credits(account_a, 105)

    balances_when_told = []
    for _ in range(10):
        entry = spend(account_a, 1)
        if Event.objects.filter(type="credits.low").count() > len(balances_when_told):
            balances_when_told.append(entry.balance_after)

    assert balances_when_told == [99]
    assert Event.objects.get(type="credits.low").data == {"balance": 99, "threshold": 100}


# --- The ledger, events and final invoices stay as they are ---------------------------------------------------------


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def save(row: Any) -> None:
    setattr(row, changeable(row), "forged")
    row.save()


def bulk_update(row: Any) -> None:
    setattr(row, changeable(row), "forged")
    type(row).objects.bulk_update([row], [changeable(row)])


def loaddata(row: Any) -> None:
    setattr(row, changeable(row), "forged")
    with NamedTemporaryFile("w", suffix=".json") as fixture:
        fixture.write(serialize("json", [row]))
        fixture.flush()
        call_command("loaddata", fixture.name, verbosity=0)


def changeable(row: Any) -> str:
    return "object_id" if isinstance(row, Event) else "description"


def table(row: Any) -> str:
    return str(row._meta.db_table)


def rows_like(row: Any) -> Any:
    return type(row).objects.filter(pk=row.pk)


CHANGES: dict[str, Callable[[Any], object]] = {
    "save": save,
    "delete": lambda row: row.delete(),
    "update": lambda row: rows_like(row).update(**{changeable(row): "forged"}),
    "F update": lambda row: rows_like(row).update(created_at=F("created_at") - timedelta(days=1)),
    "bulk_update": bulk_update,
    "queryset delete": lambda row: rows_like(row).delete(),
    "raw delete of a queryset": lambda row: rows_like(row)._raw_delete("default"),
    "SQL update": lambda row: run(f"UPDATE {table(row)} SET created_at = now() WHERE id = {row.pk}"),
    "SQL delete": lambda row: run(f"DELETE FROM {table(row)} WHERE id = {row.pk}"),
    "truncate": lambda row: run(f"TRUNCATE {table(row)} CASCADE"),
    "upsert": lambda row: run(
        f"INSERT INTO {table(row)} SELECT * FROM {table(row)} WHERE id = {row.pk} "
        "ON CONFLICT (id) DO UPDATE SET created_at = now()"
    ),
    "merge": lambda row: run(
        f"MERGE INTO {table(row)} old USING (SELECT {row.pk} AS id) new ON old.id = new.id WHEN MATCHED THEN DELETE"
    ),
    "cascade": lambda row: row.account.delete(),
    "truncate of what it hangs from": lambda row: run("TRUNCATE igny8_accounts CASCADE"),
    "loaddata": loaddata,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("model", [CreditTransaction, Event])
def test_a_row_of_the_ledger_or_the_events_cannot_be_changed_or_removed(
    model: Any, change: Callable[[Any], object], account_a: Account
) -> None:
    make.credits(account_a, 10)
    row = model.objects.get(account=account_a)
    before = list(model.objects.order_by("pk").values())
    # What waits to be checked at the commit would be another reason to refuse.
    run("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises((DatabaseError, ProtectedError), match=r"append-only|protected"), transaction.atomic():
        change(row)

    assert before
    assert list(model.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    "change",
    [
        {"total": 1, "subtotal": 1},
        {"status": "pending", "paid_at": None},
        {"invoice_number": "INV-0-000000-0000"},
        {"currency": "EUR"},
        {"metadata": {}},
        {"invoice_date": "2020-01-01"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_paid_invoice_states_for_ever_what_was_paid(olga: User, change: dict[str, Any]) -> None:
    payment = make.submitted_payment()
    PaymentService.approve_manual_payment(payment, olga)
    before = Invoice.objects.values().get(pk=payment.invoice_id)

    with pytest.raises(IntegrityError, match="is kept as it is"), transaction.atomic():
        Invoice.objects.filter(pk=payment.invoice_id).update(**change)

    assert Invoice.objects.values().get(pk=payment.invoice_id) == before


@pytest.mark.parametrize("model", [Invoice, Payment])
def test_invoices_and_payments_are_never_deleted(model: Any) -> None:
    payment = make.submitted_payment()
    before = list(model.objects.values())

    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.filter(account=payment.account)._raw_delete("default")

    assert list(model.objects.values()) == before


@pytest.mark.parametrize(
    "link",
    [
        "UPDATE igny8_invoices SET account_id = {other} WHERE id = {invoice}",
        "UPDATE igny8_payments SET account_id = {other} WHERE id = {payment}",
        "UPDATE igny8_payments SET invoice_id = {other_invoice} WHERE id = {payment}",
        "UPDATE igny8_accounts SET owner_id = {other_owner} WHERE id = {account}",
        "UPDATE igny8_users SET account_id = {other} WHERE id = {owner}",
        "UPDATE igny8_credit_usage_log SET site_id = {other_site}",
    ],
)
def test_the_database_refuses_links_from_one_account_to_another(charlie: User, link: str) -> None:
    payment = make.submitted_payment()
    theirs = charlie.account
    assert theirs
    make.credits(payment.account, 5)
    spend(payment.account, 1)
    names = {
        "account": payment.account_id,
        "payment": payment.pk,
        "invoice": payment.invoice_id,
        "owner": payment.account.owner_id,
        "other": theirs.pk,
        "other_owner": charlie.pk,
        "other_invoice": make.invoice(theirs).pk,
        "other_site": make.site(theirs).pk,
    }

    run("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="same_account"), transaction.atomic():
        run(link.format(**names))

    assert broken_invariants() == []


@pytest.mark.usefixtures("either_way")
@run_rounds(3, 12)
def test_the_ledger_does_what_a_list_of_grants_does(rounds: int) -> None:
    # Each example has an account of its own in the test's one transaction; CI says the same twice.
    few = hypothesis_settings(
        max_examples=rounds,
        stateful_step_count=15,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Ledger, settings=few)
