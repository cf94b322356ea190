"""The tenant's lock. docs/locking.md has the order; this and billing/locks.py are the only places that lock rows."""

from igny8_core.auth.models import Account
from igny8_core.common.db import PreparedStatement, require_atomic
from igny8_core.common.errors import NotFound
from igny8_core.common.prepared_rows import Columns

_ACCOUNT = Columns(Account)
LOCK_ACCOUNT = PreparedStatement(
    name="igny8_lock_account",
    types=("bigint",),
    sql=f"SELECT {_ACCOUNT.sql('account')} FROM igny8_accounts account WHERE id = $1 FOR NO KEY UPDATE",  # noqa: S608
)


def lock_account(account_id: int, *related: str) -> Account:
    """The account's row, read after its lock was taken and held until the transaction ends.

    The row is the mutex of everything that touches the account's money or limits; rows that hang from the account are
    read after it. What is looked at of its "plan" or "owner" comes along in the same statement when they are named in
    `related`. NO KEY UPDATE lets rows that only refer to the account be inserted meanwhile.
    Raises NotFound for an unknown id, RuntimeError outside a transaction.
    """
    return _lock_with(account_id, related) if related else _lock(account_id)


def _lock(account_id: int) -> Account:
    require_atomic()
    row = LOCK_ACCOUNT.fetch_one([account_id])
    if row is None:
        raise NotFound()
    return _ACCOUNT.row(row)


def _lock_with(account_id: int, related: tuple[str, ...]) -> Account:
    require_atomic()
    locked = Account.objects.select_for_update(of=("self",), no_key=True).filter(pk=account_id)
    wanted = locked.select_related(*related)
    account = wanted.first()
    if account is None or any(_is_missing(account, name) for name in related):
        # Who had to wait reads the account as it is now, but joins only what it referred to before; the lock is held.
        account = wanted.first()
    if account is None:
        raise NotFound()
    return account


def _is_missing(account: Account, name: str) -> bool:
    return getattr(account, f"{name}_id") is not None and getattr(account, name) is None
