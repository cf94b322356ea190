"""Each lock taken away, for the canaries: a lock whose removal no test notices is not tested."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

from django.db.models import QuerySet

from igny8_core.business.billing import locks
from igny8_core.business.billing.services import payment_service

LOCK = "FOR NO KEY UPDATE OF account"


@contextmanager
def without_row_locks() -> Iterator[None]:
    """lock_account, lock_invoice and lock_payment read their rows and lock nothing."""
    with mock.patch.object(QuerySet, "select_for_update", lambda rows, **_: rows.all()):
        yield


@contextmanager
def without_balance_lock() -> Iterator[None]:
    """lock_balance, the prepared lock of a spend, reads the account and locks nothing."""
    assert LOCK in locks.LOCK_BALANCE.sql
    unlocked = replace(locks.LOCK_BALANCE, name="igny8_read_balance", sql=locks.LOCK_BALANCE.sql.replace(LOCK, ""))
    with mock.patch.object(locks, "LOCK_BALANCE", unlocked):
        yield


@contextmanager
def without_reference_lock() -> Iterator[None]:
    """Confirmations with the same reference do not wait for each other."""
    with mock.patch.object(payment_service, "lock_text", return_value=None):
        yield
