"""Approving many payments: as sets where that goes, one by one where it does not, each with its outcome.

A set is one transaction. It locks the accounts that nobody else holds, reads under the locks, and writes with a few
statements; nothing waits there, so no deadlock is possible. What is unusual is approved after the set by itself: an
account with several payments, an account that somebody holds, a change of plan, a repeated transfer, and a whole set of
which a table does not take a row.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, DataError, IntegrityError

from igny8_core.auth.locks import lock_account, lock_free_accounts
from igny8_core.auth.models import Account
from igny8_core.business.billing.locks import lock_payment, lock_payments
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.settlement import CapturedTogether, Settlement, capture_many
from igny8_core.common.db import one_transaction, service_transaction
from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop
from igny8_core.common.set_writes import NotAllWritten

logger = logging.getLogger(__name__)
DATABASE_REFUSED = gettext_noop("The database refused the change. Try again, and tell a developer if it happens again.")


@dataclass(frozen=True)
class Selected:
    """A payment to decide, by its ids."""

    payment_id: int
    account_id: int


@dataclass(frozen=True)
class Outcome:
    """What became of a selected payment: what its approval brought about, or the sentence that refuses it.

    `caution`: why its account cannot use yet what was paid for.
    """

    payment_id: int
    is_decided: bool
    text: str
    caution: str = ""


# With a payment whose locks are held: approve it or refuse it.
Approve = Callable[[Payment], Settlement]
# Keep outcomes, in the transaction of the decisions that they tell of.
Keep = Callable[[Sequence[Outcome]], object]


def approve_many(selected: Sequence[Selected], approve: Approve, keep: Keep) -> None:
    """Approve the selected payments: one set, and then by themselves, in their order, those that do not fit into it."""
    payments_of = Counter(each.account_id for each in selected)
    usual = [each for each in selected if payments_of[each.account_id] == 1]
    decided = _as_set(usual, approve, keep)
    for each in selected:
        if each.payment_id not in decided:
            decide_alone(each, approve, keep)


def decide_alone(each: Selected, decide: Callable[[Payment], Settlement | Payment], keep: Keep) -> None:
    """Decide one payment in a transaction of its own. A refusal or an error of the database is an outcome, too."""
    try:
        _decide_locked(each, decide, keep)
    except DomainError as refusal:
        keep([Outcome(each.payment_id, False, refusal.text)])
    except DatabaseError:
        logger.exception("payment not decided", extra={"payment": each.payment_id})
        keep([Outcome(each.payment_id, False, DATABASE_REFUSED)])


@service_transaction
def _decide_locked(each: Selected, decide: Callable[[Payment], Settlement | Payment], keep: Keep) -> None:
    payment = lock_payment(lock_account(each.account_id), each.payment_id)
    result = decide(payment)
    keep([_done(each.payment_id, result)])


def _as_set(selected: Sequence[Selected], approve: Approve, keep: Keep) -> set[int]:
    """The ids of the payments that were decided as a set; none of them if it could not be written."""
    try:
        with one_transaction():
            accounts = Account.objects.in_bulk(lock_free_accounts([each.account_id for each in selected]))
            payments = lock_payments(accounts, [each.payment_id for each in selected])
            outcomes = _outcomes(capture_many(payments, approve))
            keep(outcomes)
    except (IntegrityError, DataError, NotAllWritten):
        logger.exception("payments not approved as a set", extra={"payments": len(selected)})
        return set()
    return {outcome.payment_id for outcome in outcomes}


def _outcomes(captured: CapturedTogether) -> list[Outcome]:
    done = [_done(pk, settlement) for pk, settlement in captured.settled.items()]
    return [*done, *(Outcome(pk, False, refusal.text) for pk, refusal in captured.refused.items())]


def _done(payment_id: int, result: Settlement | Payment) -> Outcome:
    if isinstance(result, Settlement):
        return Outcome(payment_id, True, result.outcome, result.caution)
    return Outcome(payment_id, True, "")
