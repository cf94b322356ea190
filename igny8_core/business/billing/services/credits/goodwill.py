"""Credits that an operator gives as goodwill, until a day."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.conf import settings

from igny8_core.auth.errors import AccountDeleted
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, User
from igny8_core.auth.permissions import require_other_account
from igny8_core.business.billing.models import GIVEN_BY_HAND, CreditGrantKind, CreditTransactionType
from igny8_core.business.billing.services.credits.granting import LedgerEntry, grant_credits
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.marks import gettext_noop

LONGEST_GOODWILL = timedelta(days=366)


@service_transaction
def give_goodwill(
    account: Account, amount: int, *, last_day: date, reason: str, given_by: User, key: UUID
) -> LedgerEntry:
    """Give credits that can be spent until the end of a day (UTC), once per `key`.

    Raises OwnAccount, AccountDeleted, InvalidInput for more than GOODWILL_CREDITS_MAX, or a day that is over or more
    than a year ahead.
    """
    require_other_account(given_by, account.pk)
    account = lock_account(account.pk)
    if account.deleted_at:
        raise AccountDeleted()
    if not 1 <= amount <= settings.GOODWILL_CREDITS_MAX:
        text = f"From 1 to {settings.GOODWILL_CREDITS_MAX} credits are given as goodwill. For more, adjust the balance."
        raise InvalidInput(errors={"amount": [text]})
    today = clock.today()
    if not today <= last_day <= today + LONGEST_GOODWILL:
        text = f"A day from {today} to {today + LONGEST_GOODWILL} is expected."
        raise InvalidInput(errors={"until": [text]})
    return grant_credits(
        account,
        amount,
        kind=CreditGrantKind.PURCHASE,
        transaction_type=CreditTransactionType.ADJUSTMENT,
        source=f"{GIVEN_BY_HAND}{key.hex}",
        description=gettext_noop("Goodwill"),
        expires_at=datetime.combine(last_day + timedelta(days=1), time(), clock.now().tzinfo),
        actor=given_by,
        metadata={"reason": reason},
    )
