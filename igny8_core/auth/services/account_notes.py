"""What operators write down about accounts: added, and never changed."""

from uuid import UUID

from igny8_core.auth.models import Account, AccountNote, User
from igny8_core.common.db import service_transaction


@service_transaction
def add_note(account: Account, text: str, author: User, key: UUID) -> AccountNote:
    """Write a note about an account, once per `key`: a second click finds the first one's."""
    return AccountNote.objects.get_or_create(key=key, defaults={"account": account, "text": text, "author": author})[0]
