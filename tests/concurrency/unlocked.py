"""Each lock taken away, for the canaries: a lock whose removal no test notices is not tested."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from unittest import mock

from django.db.models import QuerySet

from igny8_core.auth import locks as account_locks
from igny8_core.business.billing import ledger, locks
from igny8_core.business.billing.services.payments import offline
from igny8_core.common.db import PreparedStatement

LOCK = re.compile(r"\bFOR NO KEY UPDATE( OF [\w, ]+)?")


@contextmanager
def without_row_locks() -> Iterator[None]:
    """lock_account, lock_invoice and lock_payment read their rows and lock nothing."""
    with (
        mock.patch.object(QuerySet, "select_for_update", lambda rows, **_: rows.all()),
        unlocked(account_locks, "LOCK_ACCOUNT"),
        unlocked(locks, "LOCK_PAYMENT"),
    ):
        yield


@contextmanager
def without_balance_lock() -> Iterator[None]:
    """lock_balance, the lock of a spend, reads the account and locks nothing."""
    with unlocked(ledger, "LOCK_BALANCE"):
        yield


@contextmanager
def unlocked(module: ModuleType, name: str) -> Iterator[None]:
    """The prepared statement of that name reads its rows and locks nothing."""
    locking: PreparedStatement = getattr(module, name)
    reading, found = LOCK.subn("", locking.sql)
    assert found == 1
    with mock.patch.object(module, name, replace(locking, name=f"{locking.name}_without_lock", sql=reading)):
        yield


@contextmanager
def without_reference_lock() -> Iterator[None]:
    """Confirmations with the same reference do not wait for each other."""
    with mock.patch.object(offline, "lock_text", return_value=None):
        yield
