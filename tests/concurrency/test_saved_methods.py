"""However many requests change an account's saved methods at once, it has at most one default and one of a type."""

import pytest
from django.db import IntegrityError

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import SavedMethodExists
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.payment_methods import saved as saved_method_service
from igny8_core.business.billing.services.payment_methods.saved import (
    add_method,
    make_default,
    remove_method,
    use_method,
)
from tests import make
from tests.concurrency.interleave import before_commit, run_before
from tests.concurrency.race import all_at_once, kinds
from tests.concurrency.unlocked import without_row_locks

ROUNDS = 10
TYPES = ("bank_transfer", "local_wallet", "manual")


@pytest.fixture
def owner(transactional_db: None) -> User:
    for method in TYPES:
        make.payment_method(payment_method=method)
    return make.owner()


def account_of(owner: User) -> Account:
    assert owner.account
    return owner.account


def add(owner: User, method: str) -> AccountPaymentMethod:
    return add_method(account_of(owner), method, "", owner)


def methods_of(owner: User) -> dict[str, int]:
    """How many there are of each type, and how many defaults."""
    rows = list(AccountPaymentMethod.objects.filter(account=account_of(owner)))
    counts = {method: sum(row.type == method for row in rows) for method in TYPES}
    return {**counts, "defaults": sum(row.is_default for row in rows)}


@pytest.mark.usefixtures("books_balance")
def test_a_type_that_is_added_by_many_at_once_is_saved_once(owner: User) -> None:
    for _ in range(ROUNDS):
        outcomes = all_at_once([lambda: add(owner, "bank_transfer")] * 12)

        assert kinds(outcomes) == {"AccountPaymentMethod": 1, "SavedMethodExists": 11}
        assert methods_of(owner) == {"bank_transfer": 1, "local_wallet": 0, "manual": 0, "defaults": 1}
        AccountPaymentMethod.objects.all().delete()


@pytest.mark.usefixtures("books_balance")
def test_of_first_methods_added_at_once_one_is_the_default(owner: User) -> None:
    for _ in range(ROUNDS):
        outcomes = all_at_once([lambda method=method: add(owner, method) for method in TYPES])

        assert kinds(outcomes) == {"AccountPaymentMethod": 3}
        assert methods_of(owner)["defaults"] == 1
        default = AccountPaymentMethod.objects.get(is_default=True)
        assert Account.objects.get(pk=account_of(owner).pk).payment_method == default.type
        AccountPaymentMethod.objects.all().delete()


@pytest.mark.usefixtures("books_balance")
def test_changes_of_the_default_and_deletions_leave_exactly_one_default(owner: User) -> None:
    account = account_of(owner)
    for _ in range(ROUNDS):
        saved = [add(owner, method) for method in TYPES]
        calls = [lambda method=method: make_default(account, method.pk, owner) for method in saved]
        calls += [
            lambda: use_method(account, "local_wallet", "Wallet"),
            lambda gone=saved[0]: remove_method(account, gone.pk, owner),
        ]

        outcomes = all_at_once(calls * 2)

        assert set(kinds(outcomes)) <= {"AccountPaymentMethod", "NoneType", "SavedMethodNotFound"}
        assert methods_of(owner) == {"bank_transfer": 0, "local_wallet": 1, "manual": 1, "defaults": 1}
        AccountPaymentMethod.objects.all().delete()


@pytest.mark.usefixtures("books_balance")
def test_a_change_waits_for_the_one_under_way(owner: User) -> None:
    add(owner, "bank_transfer")
    wallet, desk = add(owner, "local_wallet"), add(owner, "manual")
    account = account_of(owner)

    with run_before(saved_method_service, "_make_default", lambda: make_default(account, desk.pk, owner)) as rival:
        make_default(account, wallet.pk, owner)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), AccountPaymentMethod)
    assert AccountPaymentMethod.objects.get(is_default=True).pk == desk.pk


@pytest.mark.usefixtures("books_balance")
def test_the_same_type_waits_for_the_one_under_way_and_is_refused(owner: User) -> None:
    rival = before_commit(lambda: add(owner, "bank_transfer"), lambda: add(owner, "bank_transfer"))

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), SavedMethodExists)


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_lock_two_first_methods_are_an_error(owner: User) -> None:
    with without_row_locks():
        rival = before_commit(lambda: add(owner, "bank_transfer"), lambda: add(owner, "local_wallet"))

    # The unique index keeps one default; the caller gets an error instead of an answer.
    assert isinstance(rival.outcome(), IntegrityError)


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_lock_a_type_is_saved_twice(owner: User) -> None:
    add(owner, "manual")

    with without_row_locks():
        rival = before_commit(lambda: add(owner, "bank_transfer"), lambda: add(owner, "bank_transfer"))

    assert not rival.had_to_wait
    assert methods_of(owner)["bank_transfer"] == 2
