"""The locks on accounts and on looks at their pages. Other rows are locked in billing/locks.py (docs/locking.md)."""

from collections.abc import Sequence

from igny8_core.auth.models import Account, CustomerLogin
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
    """Lock an account's row until the transaction ends, and return the account as read under the lock.

    The lock protects everything that touches the account's money or limits. Read rows that belong to the account after
    taking it. `related` can name "plan" and "owner", which the same statement then reads. NO KEY UPDATE allows other
    transactions to insert rows that refer to the account.
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
        # After a wait, the account is current, but the joined rows are those it referred to before. Read it again.
        account = wanted.first()
    if account is None:
        raise NotFound()
    return account


def _is_missing(account: Account, name: str) -> bool:
    return getattr(account, f"{name}_id") is not None and getattr(account, name) is None


LOCK_FREE_ACCOUNTS = PreparedStatement(
    name="igny8_lock_accounts",
    types=("bigint[]",),
    sql="SELECT id FROM igny8_accounts WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
)


def lock_free_accounts(account_ids: Sequence[int]) -> list[int]:
    """Lock those of the accounts that nobody else holds, until the transaction ends; returns their ids.

    For work on many accounts at once, which comes back to the others later. Nobody waits here, so no deadlock is
    possible. Raises RuntimeError outside a transaction.
    """
    require_atomic()
    return [row[0] for row in LOCK_FREE_ACCOUNTS.fetch_all([list(account_ids)])]


def lock_customer_login(session_id: str) -> CustomerLogin | None:
    """The look at a customer's pages that has this session and is not over yet, read under its lock; else None.

    Two ends of one look wait for each other here, and the second finds none. Raises RuntimeError outside a transaction.
    """
    require_atomic()
    return CustomerLogin.objects.select_for_update(no_key=True).filter(session_id=session_id, ended_at=None).first()
