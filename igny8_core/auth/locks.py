"""The tenant's lock. docs/locking.md has the order; this and billing/locks.py are the only places that lock rows."""

from igny8_core.auth.models import Account
from igny8_core.common.db import require_atomic
from igny8_core.common.errors import NotFound


def lock_account(account_id: int) -> Account:
    """The account's row, read after its lock was taken and held until the transaction ends.

    The row is the mutex of everything that touches the account's money or limits; rows that hang from the account are
    read after it. NO KEY UPDATE lets rows that only refer to the account be inserted meanwhile.
    Raises NotFound for an unknown id, RuntimeError outside a transaction.
    """
    require_atomic()
    try:
        return Account.objects.select_for_update(no_key=True).get(pk=account_id)
    except Account.DoesNotExist:
        raise NotFound() from None
