"""Many clients on one balance: nothing is spent twice, granted twice or lost."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import InsufficientCredits
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, CreditGrantKind, CreditTransaction, CreditTransactionType
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.credits import granting
from igny8_core.business.billing.services.credits.granting import LedgerEntry
from igny8_core.events.models import Event
from tests import make
from tests.concurrency.interleave import Rival, before_commit, run_before
from tests.concurrency.race import all_at_once, kinds, outcome_of
from tests.concurrency.unlocked import without_balance_lock, without_row_locks

THREADS = 16


def tenant_with(credits: int) -> Account:
    tenant = make.owner().account
    assert tenant
    if credits:
        make.credits(tenant, credits)
    return tenant


def spend(tenant: Account, amount: int = 1, key: str = "") -> LedgerEntry:
    return CreditService.spend(tenant, amount, operation_type="image_generation", key=key)


def grant(tenant: Account, source: str) -> LedgerEntry:
    return CreditService.grant(
        tenant,
        10,
        kind=CreditGrantKind.PURCHASE,
        transaction_type=CreditTransactionType.PURCHASE,
        source=source,
        description="Credits",
    )


def balance_of(tenant: Account) -> int:
    return Account.objects.get(pk=tenant.pk).credits


@pytest.mark.usefixtures("books_balance")
def test_of_64_spenders_exactly_as_many_succeed_as_there_are_credits() -> None:
    tenant = tenant_with(credits=20)

    def four_spends() -> list[object]:
        return [outcome_of(lambda: spend(tenant)) for _ in range(4)]

    outcomes = [outcome for four in all_at_once([four_spends] * THREADS) for outcome in four]  # type: ignore[attr-defined]

    assert kinds(outcomes) == {"InsufficientCredits": 44, "LedgerEntry": 20}
    assert balance_of(tenant) == 0
    assert CreditTransaction.objects.filter(account=tenant, transaction_type="usage").count() == 20


@pytest.mark.usefixtures("books_balance")
def test_grants_that_run_out_under_8_clients_are_spent_to_the_last_credit_without_an_error() -> None:
    tenant = tenant_with(credits=0)
    soon = timezone.now() + timedelta(days=1)
    for number in range(50):
        make.credits(tenant, 4, expires_at=soon + timedelta(hours=number) if number % 2 else None)

    def spend_until_empty() -> list[object]:
        outcomes = [outcome_of(lambda: spend(tenant, 3))]
        while isinstance(outcomes[-1], LedgerEntry):
            outcomes.append(outcome_of(lambda: spend(tenant, 3)))
        return outcomes

    outcomes = [outcome for some in all_at_once([spend_until_empty] * 8) for outcome in some]  # type: ignore[attr-defined]

    assert kinds(outcomes) == {"InsufficientCredits": 8, "LedgerEntry": 66}
    assert balance_of(tenant) == 2


@pytest.mark.usefixtures("books_balance")
def test_a_spend_waits_for_the_one_that_empties_the_grants_and_is_refused() -> None:
    tenant = tenant_with(credits=5)

    rival = before_commit(lambda: spend(tenant, 5), lambda: spend(tenant))

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), InsufficientCredits)
    assert balance_of(tenant) == 0


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_lock_a_spend_meets_grants_that_are_empty_meanwhile() -> None:
    tenant = tenant_with(credits=5)

    with without_balance_lock():
        rival = before_commit(lambda: spend(tenant, 5), lambda: spend(tenant))

    # The database's check keeps the books right; the caller gets an error instead of an answer.
    assert isinstance(rival.outcome(), IntegrityError)


@pytest.mark.usefixtures("books_balance")
def test_a_spend_repeated_32_times_with_one_key_takes_credits_once() -> None:
    tenant = tenant_with(credits=100)

    outcomes = all_at_once([lambda: spend(tenant, 7, key="article 1")] * 32)

    entries = [outcome for outcome in outcomes if isinstance(outcome, LedgerEntry)]
    assert len(entries) == 32
    assert len({(entry.id, entry.balance_after) for entry in entries}) == 1
    assert sorted(entry.repeated for entry in entries) == [False] + [True] * 31
    assert balance_of(tenant) == 93
    assert Event.objects.filter(account=tenant, type="credits.spent").count() == 1


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_lock_a_repeated_spend_is_an_error() -> None:
    tenant = tenant_with(credits=100)

    with without_balance_lock():
        rival = before_commit(lambda: spend(tenant, 7, key="article 1"), lambda: spend(tenant, 7, key="article 1"))

    assert isinstance(rival.outcome(), IntegrityError)


@pytest.mark.usefixtures("books_balance")
def test_a_source_granted_32_times_gives_credits_once() -> None:
    tenant = tenant_with(credits=0)

    outcomes = all_at_once([lambda: grant(tenant, "order:0")] * 32)

    entries = [outcome for outcome in outcomes if isinstance(outcome, LedgerEntry)]
    assert sorted(entry.repeated for entry in entries) == [False] + [True] * 31
    assert (balance_of(tenant), CreditGrant.objects.filter(account=tenant).count()) == (10, 1)
    Event.objects.get(account=tenant, type="credits.granted")


@pytest.mark.usefixtures("books_balance")
def test_grants_of_different_sources_all_count() -> None:
    tenant = tenant_with(credits=0)

    outcomes = all_at_once([lambda number=number: grant(tenant, f"order:{number}") for number in range(THREADS)])

    assert kinds(outcomes) == {"LedgerEntry": THREADS}
    assert balance_of(tenant) == 10 * THREADS


@pytest.mark.usefixtures("books_balance")
def test_a_grant_does_not_deadlock_with_the_holder_of_the_account_who_grants_the_same() -> None:
    tenant = tenant_with(credits=0)
    rival = Rival(lambda: grant(tenant, "order:0"))

    with transaction.atomic():
        lock_account(tenant.pk)
        rival.start()
        mine = grant(tenant, "order:0")

    theirs = rival.outcome()
    assert rival.had_to_wait
    assert isinstance(theirs, LedgerEntry)
    assert (theirs.id, theirs.repeated, mine.repeated) == (mine.id, True, False)


def tenant_with_an_expired_grant() -> Account:
    tenant = tenant_with(credits=50)
    make.credits(tenant, 30, expires_at=timezone.now() - timedelta(minutes=1))
    return tenant


@pytest.mark.usefixtures("books_balance")
def test_a_spend_waits_for_the_expiry_under_way() -> None:
    tenant = tenant_with_an_expired_grant()

    with run_before(granting, "_expire_grant", lambda: spend(tenant)) as rival:
        CreditService.expire(tenant)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), LedgerEntry)
    assert balance_of(tenant) == 49


@pytest.mark.usefixtures("books_balance")
def test_expiry_waits_for_the_spend_under_way() -> None:
    tenant = tenant_with_an_expired_grant()

    rival = before_commit(lambda: spend(tenant), lambda: CreditService.expire(tenant))

    assert (rival.had_to_wait, rival.outcome()) == (True, 30)
    assert balance_of(tenant) == 49


@pytest.mark.usefixtures("transactional_db")
def test_canary_without_the_lock_expiry_overwrites_a_spend() -> None:
    tenant = tenant_with_an_expired_grant()

    with without_row_locks(), run_before(granting, "_expire_grant", lambda: spend(tenant)) as rival:
        CreditService.expire(tenant)

    assert not rival.had_to_wait
    assert balance_of(tenant) == 50
    assert {result.number for result in broken_invariants()} >= {1, 2}


@pytest.mark.usefixtures("books_balance")
def test_expiry_spends_and_grants_together_keep_the_books() -> None:
    tenant = tenant_with_an_expired_grant()
    calls = [
        lambda: spend(tenant, 2),
        lambda: CreditService.expire(tenant),
        lambda: grant(tenant, "order:1"),
        lambda: spend(tenant, 1, key="same"),
    ]

    outcomes = all_at_once(calls * 4)

    assert kinds(outcomes) == {"LedgerEntry": 12, "int": 4}
    assert balance_of(tenant) == 50 + 10 - 4 * 2 - 1
