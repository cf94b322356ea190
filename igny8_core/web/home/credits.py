"""The credits of an account at a glance: where they come from, and what they went to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from igny8_core.auth.models import Account
from igny8_core.business.billing.ledger_words import ledger_texts
from igny8_core.business.billing.models import (
    CreditGrant,
    CreditGrantKind,
    CreditTransaction,
    CreditTransactionType,
)
from igny8_core.business.billing.selectors import credit_costs, credit_transactions_of, live_grants_of
from igny8_core.common.languages import translated

SHOWN = 8


@dataclass(frozen=True)
class Grants:
    """Credits of one kind that can be spent now; `first_end` is when the first of them expire."""

    remaining: int
    first_end: datetime | None

    @classmethod
    def of(cls, grants: Iterable[CreditGrant]) -> "Grants":
        """The sum of some grants."""
        grants = list(grants)
        ends = [grant.expires_at for grant in grants if grant.expires_at]
        return cls(sum(grant.remaining for grant in grants), min(ends, default=None))


@dataclass(frozen=True)
class Entry:
    """A row of the ledger, in words for people."""

    row: CreditTransaction
    text: str


@dataclass(frozen=True)
class CreditsAtAGlance:
    """What comes with the plan, what was bought or given on top, and the last changes."""

    plan: Grants
    on_top: Grants
    entries: list[Entry]

    @property
    def total(self) -> int:
        """What can be spent now."""
        return self.plan.remaining + self.on_top.remaining


def credits_of(account: Account) -> CreditsAtAGlance:
    """As of now: grants whose time is over count no more, even before they are taken back."""
    grants = list(live_grants_of(account))
    return CreditsAtAGlance(
        Grants.of(grant for grant in grants if grant.kind == CreditGrantKind.PLAN),
        Grants.of(grant for grant in grants if grant.kind != CreditGrantKind.PLAN),
        _entries(account),
    )


def _entries(account: Account) -> list[Entry]:
    rows = list(credit_transactions_of(account)[:SHOWN])
    names = dict(credit_costs().values_list("operation_type", "display_name"))
    texts = ledger_texts(account, rows)
    return [Entry(row, _words(row, text, names)) for row, text in zip(rows, texts, strict=True)]


def _words(row: CreditTransaction, text: str, names: dict[str, str]) -> str:
    if row.transaction_type != CreditTransactionType.USAGE:
        return text or row.get_transaction_type_display()
    name = translated(names.get(row.description, row.description))
    return _("%(operation)s (tried out)") % {"operation": name} if row.metadata.get("tried_out") else name
