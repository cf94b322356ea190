"""Grant credits, adjust them by hand, expire them, and take them back after a refund."""

import json
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, ngettext

from igny8_core.auth.errors import AccountDeleted
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, User
from igny8_core.auth.permissions import require_other_account
from igny8_core.business.billing.errors import InsufficientCredits
from igny8_core.business.billing.ledger import GRANT, GRANT_SET
from igny8_core.business.billing.ledger_words import expired_text
from igny8_core.business.billing.models import (
    GIVEN_BY_HAND,
    CreditGrant,
    CreditGrantKind,
    CreditTransaction,
    CreditTransactionType,
    Payment,
)
from igny8_core.business.billing.selectors import live_grants_of
from igny8_core.common import clock
from igny8_core.common.batches import others_go_on
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.languages import in_language
from igny8_core.common.marks import gettext_noop
from igny8_core.common.set_writes import handed_over, id_ahead
from igny8_core.events import services as events


@dataclass(frozen=True)
class LedgerEntry:
    """The ledger row that an operation wrote. `repeated`: an earlier call with the same source had written it."""

    id: int
    balance_after: int
    repeated: bool = False


@service_transaction
def grant_credits(
    account: Account,
    amount: int,
    *,
    kind: CreditGrantKind,
    transaction_type: CreditTransactionType,
    source: str,
    description: str,
    expires_at: datetime | None = None,
    actor: events.Actor = None,
    metadata: dict[str, Any] | None = None,
) -> LedgerEntry:
    """Add a grant of `amount` credits, once per `source` (for example "invoice:12"). A repeat changes nothing.

    `expires_at` None: the grant does not expire. `account.credits` is updated.
    Raises InvalidInput for an amount below 1.
    """
    require_positive(amount)
    row = _Row(transaction_type, source, description, metadata or {})
    entry = _add_grant(account, amount, kind, expires_at, row)
    if not entry.repeated:
        data = {"amount": amount, "source": source, "balance_after": entry.balance_after}
        events.record(_event("credits.granted", entry, account, actor, data))
    return entry


@service_transaction
def adjust_credits(account: Account, amount: int, *, reason: str, adjusted_by: User, key: str = "") -> LedgerEntry:
    """Add credits by hand, or take some away if `amount` is negative.

    Added credits are a grant that does not expire and is spent last. Credits are taken from the grants in the order in
    which they are spent. With a `key`, a repeated call returns the first entry and changes nothing.
    Raises InsufficientCredits if fewer are left, OwnAccount if the operator belongs to the account, AccountDeleted,
    InvalidInput if `amount` is 0.
    """
    if type(amount) is not int or amount == 0:
        text = "Expected a whole number of credits other than 0. A negative number takes credits away."
        raise InvalidInput(errors={"amount": [text]})
    require_other_account(adjusted_by, account.pk)
    locked = lock_account(account.pk)
    if locked.deleted_at:
        raise AccountDeleted()
    kind, source = CreditTransactionType.ADJUSTMENT, f"{GIVEN_BY_HAND}{key or uuid.uuid4().hex}"
    if earlier := CreditTransaction.objects.filter(account=locked, transaction_type=kind, source=source).first():
        return LedgerEntry(earlier.pk, earlier.balance_after, repeated=True)
    row = _Row(kind, source, gettext_noop("Adjusted by an operator"), {"reason": reason})
    if amount > 0:
        entry = _add_grant(locked, amount, CreditGrantKind.PURCHASE, None, row)
    else:
        entry = _take(locked, _grants_that_hold(locked, -amount), -amount, row)
    account.credits = locked.credits
    data = {"amount": amount, "reason": reason, "balance_after": entry.balance_after}
    events.record(_event("credits.adjusted", entry, account, adjusted_by, data))
    return entry


@service_transaction
def take_back_credits(
    account: Account,
    amount: int,
    *,
    granted_for: Collection[str],
    source: str,
    description: str,
    actor: User | None = None,
) -> int:
    """Take back up to `amount` unspent credits of one grant; returns how many were taken.

    `granted_for`: the sources that the grant can have. `source`: why they are taken back. Credits that were spent or
    have expired are not taken from other grants, so the balance never goes below zero. The caller holds the account's
    lock.
    """
    grant = CreditGrant.objects.filter(account=account, source__in=granted_for, remaining__gt=0).first()
    if grant is None or amount < 1:
        return 0
    taken = min(amount, grant.remaining)
    entry = _take(account, [grant], taken, _Row(CreditTransactionType.REFUND, source, description, {}))
    data = {"amount": taken, "source": source, "balance_after": entry.balance_after}
    events.record(_event("credits.taken_back", entry, account, actor, data))
    return taken


@service_transaction
def expire_credits(account: Account) -> int:
    """Take the remaining credits of the account's expired grants; returns how many were taken."""
    locked = lock_account(account.pk)
    now = clock.now()
    taken = 0
    with events.recorded_together():
        for grant in CreditGrant.objects.filter(account=locked, remaining__gt=0, expires_at__lte=now).order_by("pk"):
            taken += _expire_grant(locked, grant)
    account.credits = locked.credits
    return taken


def expire_due_credits() -> int:
    """Expire the due grants of all accounts, each account in its own transaction; returns the credits taken."""
    due = CreditGrant.objects.filter(remaining__gt=0, expires_at__lte=clock.now())
    accounts = Account.objects.filter(pk__in=due.values("account_id")).order_by("pk")
    taken = 0
    for account in accounts.iterator():
        with others_go_on("the expiry of credits", account=account.pk):
            taken += expire_credits(account)
    return taken


def require_positive(amount: int) -> None:
    if type(amount) is not int or amount < 1:
        raise InvalidInput(errors={"amount": [gettext("Expected a whole number of credits from 1.")]})


@dataclass(frozen=True)
class _Row:
    """The columns of a ledger row besides its amount."""

    transaction_type: CreditTransactionType
    source: str
    description: str
    metadata: dict[str, Any]


def _add_grant(
    account: Account, amount: int, kind: CreditGrantKind, expires_at: datetime | None, row: _Row
) -> LedgerEntry:
    parameters = [account.pk, kind, row.source, amount, expires_at, row.transaction_type, row.description]
    values = [*parameters, json.dumps(row.metadata), clock.now()]
    if known_id := id_ahead(CreditTransaction._meta.db_table):
        entry = LedgerEntry(known_id, account.credits + amount)
        handed_over(GRANT_SET, [*values, entry.id, entry.balance_after])
    else:
        written = GRANT.fetch_one(values)
        if written is None:
            earlier = _granted_before(account, row)
            return LedgerEntry(earlier.pk, earlier.balance_after, repeated=True)
        entry = LedgerEntry(*written)
    account.credits = entry.balance_after
    return entry


def _granted_before(account: Account, row: _Row) -> CreditTransaction:
    """The ledger row of the earlier grant: of the same source, or of a payment of the same invoice."""
    sources = [row.source]
    kind, _, number = row.source.partition(":")
    if kind == "invoice":
        of_invoice = Payment.objects.filter(account=account, invoice_id=number)
        sources += [f"payment:{pk}" for pk in of_invoice.values_list("pk", flat=True)]
    same = CreditTransaction.objects.filter(account=account, transaction_type=row.transaction_type)
    return same.get(source__in=sources)


def _grants_that_hold(account: Account, amount: int) -> list[CreditGrant]:
    grants = list(live_grants_of(account))
    left = sum(grant.remaining for grant in grants)
    if left < amount:
        raise InsufficientCredits(
            ngettext(
                "The account has %(left)s credit, so %(amount)s cannot be taken. Take fewer.",
                "The account has %(left)s credits, so %(amount)s cannot be taken. Take fewer.",
                left,
            )
            % {"left": left, "amount": amount}
        )
    return grants


def _take(account: Account, grants: Iterable[CreditGrant], amount: int, row: _Row) -> LedgerEntry:
    """Take `amount` from the grants one after the other. They hold enough, and the account is locked."""
    missing = amount
    for grant in grants:
        taken = min(missing, grant.remaining)
        if taken:
            grant.remaining -= taken
            grant.save(update_fields=["remaining"])
            missing -= taken
    account.credits -= amount
    account.save(update_fields=["credits"])
    written = CreditTransaction.objects.create(
        account=account,
        transaction_type=row.transaction_type,
        amount=-amount,
        balance_after=account.credits,
        description=row.description,
        source=row.source,
        metadata=row.metadata,
        created_at=clock.now(),
    )
    return LedgerEntry(written.pk, written.balance_after)


def _expire_grant(account: Account, grant: CreditGrant) -> int:
    amount = grant.remaining
    # Kept with the ledger's row, as the lines of invoices are: in the account's language.
    with in_language(account.language):
        description = expired_text(grant)
    entry = _take(account, [grant], amount, _Row(CreditTransactionType.EXPIRY, f"grant:{grant.pk}", description, {}))
    data = {"amount": amount, "balance_after": account.credits}
    events.record(_event("credits.expired", entry, account, None, data))
    return amount


def _event(
    event_type: str, entry: LedgerEntry, account: Account, actor: events.Actor, data: dict[str, Any]
) -> events.NewEvent:
    written = CreditTransaction(pk=entry.id, account_id=account.pk)
    return events.about(event_type, written, actor, data)
