"""Spend credits on many operations at once: the same results as use_credits, in a fixed number of statements."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from igny8_core.auth.callers import Caller
from igny8_core.auth.models import Account, User
from igny8_core.auth.permissions import require_usable
from igny8_core.auth.selectors import sites_of
from igny8_core.business.billing.errors import SpendKeyReused
from igny8_core.business.billing.ledger import SPEND_MANY, lock_balance
from igny8_core.business.billing.models import CreditTransaction, CreditTransactionType
from igny8_core.business.billing.selectors import costs_in_use, live_grants_of
from igny8_core.business.billing.services.credits.granting import LedgerEntry
from igny8_core.business.billing.services.credits.spending import NO_SUCH_SITE, Usage, member_key, price, too_expensive
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import DomainError, InvalidInput
from igny8_core.events import services as events


@dataclass(frozen=True)
class Operation:
    """What a member wants to spend credits on. Each `key` is spent once."""

    key: str
    operation_type: str
    quantity: int
    site_id: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@service_transaction
def use_many(account: Account, operations: Sequence[Operation], *, user: User | Caller) -> list[Usage | DomainError]:
    """The result of each operation, in order: its cost, or the error that refused it.

    A refused operation does not affect the others. Operations with the same key must be equal, and are spent once.
    Raises PaymentRequired, AccountSuspended or AccountCanceled, because then all are refused.
    """
    batch = _Batch(account, user, lock_balance(account))
    require_usable(account)
    distinct = {operation.key: operation for operation in operations}
    batch.read(list(distinct.values()))
    decided = {key: batch.decide(operation) for key, operation in distinct.items()}
    batch.write()
    outcomes = {key: batch.outcome(distinct[key], decision) for key, decision in decided.items()}
    return [outcomes[operation.key] for operation in operations]


@dataclass
class _Spend:
    """An operation that is paid for, now or by an earlier call with the same key."""

    source: str
    amount: int
    balance_after: int
    repeated: bool = False


@dataclass
class _Grant:
    id: int
    remaining: int
    taken: int = 0


class _Batch:
    """The account's balance, grants and keys, read once; the operations are decided on them one after the other."""

    def __init__(self, account: Account, user: User | Caller, locked: tuple[int, int]) -> None:
        self.account, self.user = account, user
        self.before, self.included = locked
        self.balance = self.before
        self.spends: list[tuple[Operation, _Spend]] = []
        self.ids: dict[str, int] = {}

    def read(self, operations: Sequence[Operation]) -> None:
        """Read prices, sites, earlier ledger rows of the keys, and the grants in the order in which they are spent."""
        self.costs = costs_in_use({operation.operation_type for operation in operations})
        site_ids = {operation.site_id for operation in operations if operation.site_id}
        open_sites = sites_of(self.account, self.user).filter(pk__in=site_ids) if site_ids else ()
        self.site_ids = {site.pk for site in open_sites}
        sources = [self._source(operation) for operation in operations]
        usage = CreditTransaction.objects.filter(account=self.account, transaction_type=CreditTransactionType.USAGE)
        self.earlier = {entry.source: entry for entry in usage.filter(source__in=sources)}
        self.grants = [_Grant(grant.pk, grant.remaining) for grant in live_grants_of(self.account)]
        self.left = sum(grant.remaining for grant in self.grants)
        self.next_grant = 0

    def decide(self, operation: Operation) -> _Spend | DomainError:
        try:
            return self._spend(operation)
        except DomainError as refusal:
            return refusal

    def _spend(self, operation: Operation) -> _Spend:
        amount = price(self.costs.get(operation.operation_type), operation.quantity)
        source = self._source(operation)
        if entry := self.earlier.get(source):
            if (entry.description, entry.amount) != (operation.operation_type, -amount):
                raise SpendKeyReused()
            self.ids[source] = entry.pk
            return _Spend(source, amount, entry.balance_after, repeated=True)
        if operation.site_id and operation.site_id not in self.site_ids:
            raise InvalidInput(errors={"site": [NO_SUCH_SITE]})
        if amount > self.left:
            raise too_expensive(amount, self.left)
        self._take(amount)
        spend = _Spend(source, amount, self.balance)
        self.spends.append((operation, spend))
        return spend

    def _take(self, amount: int) -> None:
        self.left -= amount
        self.balance -= amount
        while amount:
            grant = self.grants[self.next_grant]
            taken = min(amount, grant.remaining - grant.taken)
            grant.taken += taken
            amount -= taken
            if grant.taken == grant.remaining:
                self.next_grant += 1

    def write(self) -> None:
        """Write grants, balance, ledger and usage log in one statement, and events in another, if anything is spent."""
        if not self.spends:
            return
        grants = [grant for grant in self.grants if grant.taken]
        rows = SPEND_MANY.fetch_all(
            [
                self.account.pk,
                self.user.pk,
                clock.now(),
                [grant.id for grant in grants],
                [grant.taken for grant in grants],
                [spend.source for _, spend in self.spends],
                [operation.operation_type for operation, _ in self.spends],
                [spend.amount for _, spend in self.spends],
                [spend.balance_after for _, spend in self.spends],
                [json.dumps(operation.metadata) for operation, _ in self.spends],
                [operation.site_id for operation, _ in self.spends],
            ]
        )
        self.ids.update(dict(rows))
        self.account.credits = self.balance
        events.record(*self._events())

    def outcome(self, operation: Operation, decision: _Spend | DomainError) -> Usage | DomainError:
        if isinstance(decision, DomainError):
            return decision
        entry = LedgerEntry(self.ids[decision.source], decision.balance_after, decision.repeated)
        return Usage(entry, operation.operation_type, operation.quantity, decision.amount)

    def _source(self, operation: Operation) -> str:
        return f"usage:{member_key(self.user.pk, operation.key)}"

    def _spent(self, operation: Operation, spend: _Spend) -> events.NewEvent:
        facts = {
            "amount": spend.amount,
            "operation_type": operation.operation_type,
            "balance_after": spend.balance_after,
        }
        entry = CreditTransaction(pk=self.ids[spend.source])
        return events.NewEvent("credits.spent", entry, self.account.pk, self.user.pk, facts)

    def _events(self) -> Iterator[events.NewEvent]:
        """One event per operation, and "credits.low" after the one that took the balance below the threshold."""
        low = self.included * settings.CREDITS_LOW_PERCENT // 100
        before = self.before
        for operation, spend in self.spends:
            yield self._spent(operation, spend)
            if spend.balance_after < low <= before:
                data = {"balance": spend.balance_after, "threshold": low}
                yield events.NewEvent("credits.low", self.account, self.account.pk, None, data)
            before = spend.balance_after
