"""Credits: granting, spending and expiring them."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, Site, User
from igny8_core.business.billing.errors import InsufficientCredits
from igny8_core.business.billing.ledger import GRANT, SPEND
from igny8_core.business.billing.locks import lock_balance
from igny8_core.business.billing.models import CreditGrant, CreditGrantKind, CreditTransaction, CreditTransactionType
from igny8_core.business.billing.selectors import spendable_credits
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.request_id import current_request_id
from igny8_core.events import services as events


@dataclass(frozen=True)
class LedgerEntry:
    """The ledger row that an operation wrote; `repeated` when an earlier call with the same source had written it."""

    id: int
    balance_after: int
    repeated: bool = False


class CreditService:
    """The only writer of Account.credits, CreditTransaction and CreditGrant (domain.md section 5)."""

    @staticmethod
    @service_transaction
    def grant(
        account: Account,
        amount: int,
        *,
        kind: CreditGrantKind,
        transaction_type: CreditTransactionType,
        source: str,
        description: str,
        expires_at: datetime | None = None,
        actor: User | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> LedgerEntry:
        """Add a lot of `amount` credits, once per `source` (for example "payment:12"); a repeat changes nothing.

        `expires_at` None means the lot does not expire. `account.credits` is brought up to date.
        Raises InvalidInput for an amount below 1.
        """
        _require_positive(amount)
        parameters = [account.pk, kind, source, amount, expires_at, transaction_type, description]
        row = GRANT.fetch_one([*parameters, json.dumps(metadata or {})])
        if row is None:
            earlier = CreditTransaction.objects.get(account=account, transaction_type=transaction_type, source=source)
            return LedgerEntry(earlier.pk, earlier.balance_after, repeated=True)
        entry = LedgerEntry(row[0], row[1])
        account.credits = entry.balance_after
        data = {"amount": amount, "source": source, "balance_after": entry.balance_after}
        written = CreditTransaction(pk=entry.id)
        events.record(events.NewEvent("credits.granted", written, account.pk, actor.pk if actor else None, data))
        return entry

    @staticmethod
    @service_transaction
    def spend(
        account: Account,
        amount: int,
        *,
        operation_type: str,
        description: str = "",
        key: str = "",
        site: Site | None = None,
        user: User | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> LedgerEntry:
        """Take `amount` credits from the lots that expire soonest and log what they were used for.

        A `key` makes the call repeatable: the same key again gives the first entry and takes nothing.
        Raises InsufficientCredits, with nothing changed, when the unexpired lots do not hold `amount`; InvalidInput for
        an amount below 1.
        """
        _require_positive(amount)
        before, included = lock_balance(account.pk)
        parameters = [
            account.pk,
            amount,
            f"usage:{key or uuid.uuid4().hex}",
            operation_type,
            description or operation_type,
            json.dumps(metadata or {}),
            user.pk if user else None,
            site.pk if site else None,
            current_request_id(),
        ]
        row = SPEND.fetch_one(parameters)
        if row is None:
            left = spendable_credits(account)
            text = f"This costs {amount} credits and there are {left}. Buy credits or a larger plan, then try again."
            raise InsufficientCredits(text)
        entry = LedgerEntry(*row)
        account.credits = entry.balance_after if not entry.repeated else before
        low = included * settings.CREDITS_LOW_PERCENT // 100
        if entry.balance_after < low <= before and not entry.repeated:
            data = {"balance": entry.balance_after, "threshold": low}
            events.record(events.NewEvent("credits.low", account, account.pk, None, data))
        return entry

    @staticmethod
    @service_transaction
    def expire(account: Account) -> int:
        """Take back what is left of the account's lots whose time is over; returns the credits taken."""
        locked = lock_account(account.pk)
        now = timezone.now()
        taken = 0
        with events.recorded_together():
            for lot in CreditGrant.objects.filter(account=locked, remaining__gt=0, expires_at__lte=now).order_by("pk"):
                taken += _expire_lot(locked, lot, now)
        account.credits = locked.credits
        return taken

    @staticmethod
    def expire_due() -> int:
        """Expire lots of all accounts that have any, each account in its own transaction; returns the credits taken."""
        due = CreditGrant.objects.filter(remaining__gt=0, expires_at__lte=timezone.now())
        accounts = Account.objects.filter(pk__in=due.values("account_id")).order_by("pk")
        return sum(CreditService.expire(account) for account in accounts.iterator())


def _require_positive(amount: int) -> None:
    if type(amount) is not int or amount < 1:
        raise InvalidInput(errors={"amount": ["Expected a whole number of credits from 1."]})


def _expire_lot(account: Account, lot: CreditGrant, now: datetime) -> int:
    amount, lot.remaining = lot.remaining, 0
    account.credits -= amount
    lot.save(update_fields=["remaining"])
    account.save(update_fields=["credits"])
    entry = CreditTransaction.objects.create(
        account=account,
        transaction_type=CreditTransactionType.EXPIRY,
        amount=-amount,
        balance_after=account.credits,
        description=f"Credits expired on {lot.expires_at:%Y-%m-%d}",
        source=f"grant:{lot.pk}",
        created_at=now,
    )
    data = {"amount": amount, "balance_after": account.credits}
    events.record(events.NewEvent("credits.expired", entry, account.pk, None, data))
    return amount
