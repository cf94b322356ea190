"""Spend credits: find what an operation costs, and take it from the grants that expire soonest."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from igny8_core.auth.callers import Caller
from igny8_core.auth.models import Account, Site, User
from igny8_core.auth.permissions import require_usable
from igny8_core.auth.selectors import sites_of
from igny8_core.business.billing.errors import InsufficientCredits, OperationNotOffered, SpendKeyReused
from igny8_core.business.billing.ledger import SPEND, lock_balance, lock_balance_and_cost
from igny8_core.business.billing.models import (
    CreditTransaction,
)
from igny8_core.business.billing.selectors import spendable_credits
from igny8_core.business.billing.services.credits.granting import LedgerEntry, require_positive
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.marks import gettext_noop
from igny8_core.common.request_id import current_request_id
from igny8_core.events import consumers
from igny8_core.events import services as events

# The usage log counts in 32 bits.
MAX_SPENT_AT_ONCE = 2**31 - 1
NO_SUCH_SITE = gettext_noop("No such site. GET /api/v1/sites/ lists those that you have access to.")


@dataclass(frozen=True)
class Usage:
    """What an operation of a member cost: `credits`, taken by the ledger row `entry`."""

    entry: LedgerEntry
    operation_type: str
    quantity: int
    credits: int


@service_transaction
def spend_credits(
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
    """Take `amount` credits from the grants that expire soonest, and log what they were used for.

    With a `key`, a repeated call returns the first entry and takes nothing.
    Raises InsufficientCredits if the unexpired grants do not hold `amount`, InvalidInput for an amount below 1.
    """
    require_positive(amount)
    locked = lock_balance(account)
    ids = (site.pk if site else None, user.pk if user else None)
    purpose = _Purpose(operation_type, description or operation_type, key, *ids, metadata or {})
    return _spend(account, locked, amount, purpose)


@service_transaction
def use_credits(
    account: Account,
    operation_type: str,
    quantity: int,
    *,
    user: User | Caller,
    key: str = "",
    site_id: int | None = None,
    metadata: dict[str, Any] | None = None,
) -> Usage:
    """Spend what `quantity` units of an operation cost (CreditCostConfig), for a member and optionally for a site.

    With a `key` of the user, a repeated call returns the first entry and takes nothing.
    Raises PaymentRequired, AccountSuspended or AccountCanceled if the account cannot be used, OperationNotOffered,
    InvalidInput for a site that does not exist or that the user has no access to, SpendKeyReused if the key paid for
    another operation, InsufficientCredits.
    """
    locked, cost = lock_balance_and_cost(account, operation_type)
    require_usable(account)
    amount = price(cost, quantity)
    digest = member_key(user.pk, key) if key else ""
    purpose = _Purpose(operation_type, operation_type, digest, site_id, user.pk, metadata or {})
    entry = _spend(account, locked, amount, purpose, working=user)
    if entry.repeated:
        _require_same(entry, operation_type, amount)
    return Usage(entry, operation_type, quantity, amount)


def price(cost_of_unit: int | None, quantity: int) -> int:
    """What `quantity` units cost, in credits. Raises OperationNotOffered, InvalidInput if a log row cannot hold it."""
    if cost_of_unit is None:
        raise OperationNotOffered(errors={"operation_type": [OperationNotOffered.text]})
    amount = cost_of_unit * quantity
    if amount > MAX_SPENT_AT_ONCE:
        raise InvalidInput(
            errors={
                "quantity": [
                    _("This costs %(amount)s credits, which is too much at once. Send less.") % {"amount": amount}
                ]
            }
        )
    return amount


def member_key(user_id: int, key: str) -> str:
    """A member's key as the ledger stores it: hashed, because a header can be longer than the ledger's column."""
    return hashlib.sha256(f"{user_id}:{key}".encode()).hexdigest()


@dataclass(frozen=True)
class _Purpose:
    """What credits are spent on, by whom, and under which key."""

    operation_type: str
    description: str
    key: str
    site_id: int | None
    user_id: int | None
    metadata: dict[str, Any]


def _spend(
    account: Account, locked: tuple[int, int], amount: int, purpose: _Purpose, working: User | Caller | None = None
) -> LedgerEntry:
    """Write the spend in one statement. `working`: the member who must have access to the site, if there is one."""
    before, included = locked
    parameters = [
        account.pk,
        amount,
        f"usage:{purpose.key or uuid.uuid4().hex}",
        purpose.operation_type,
        purpose.description,
        json.dumps(purpose.metadata),
        purpose.user_id,
        purpose.site_id,
        current_request_id(),
        clock.now(),
        consumers.subscribed_to("credits.spent"),
        bool(working and purpose.site_id),
    ]
    row = SPEND.fetch_one(parameters)
    if row is None:
        if working and purpose.site_id:
            require_site(account, working, purpose.site_id)
        raise too_expensive(amount, spendable_credits(account))
    entry = LedgerEntry(*row)
    account.credits = entry.balance_after if not entry.repeated else before
    low = included * settings.CREDITS_LOW_PERCENT // 100
    if entry.balance_after < low <= before and not entry.repeated:
        data = {"balance": entry.balance_after, "threshold": low}
        events.record(events.about("credits.low", account, None, data))
    return entry


def too_expensive(amount: int, left: int) -> InsufficientCredits:
    """The error for an operation that costs more credits than are left."""
    text = ngettext(
        "This costs %(amount)s credit, but the account has %(left)s. Buy credits or a larger plan, then try again.",
        "This costs %(amount)s credits, but the account has %(left)s. Buy credits or a larger plan, then try again.",
        amount,
    )
    return InsufficientCredits(text % {"amount": amount, "left": left})


def require_site(account: Account, user: User | Caller, site_id: int) -> None:
    """Raises InvalidInput for a site that does not exist or that the user has no access to."""
    if not sites_of(account, user).filter(pk=site_id).exists():
        raise InvalidInput(errors={"site": [NO_SUCH_SITE]})


def _require_same(entry: LedgerEntry, operation_type: str, amount: int) -> None:
    # Stored answers expire after two days, but the ledger keeps a key for ever: it must not pay for something else.
    first = CreditTransaction.objects.get(pk=entry.id)
    if (first.description, first.amount) != (operation_type, -amount):
        raise SpendKeyReused()
