"""Deciding many selected payments: the order is a row, each payment's outcome another, and a worker carries it out.

An outcome is written in the transaction of its decision, so a worker that is killed loses nothing and its successor
does nothing twice. Two that work on the same order meet in the accounts' locks. What one of them did is told, whatever
kept the other from it; otherwise the first outcome stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db.models import Count, QuerySet

from igny8_core.auth.models import User
from igny8_core.business.billing.models import BulkDecision, BulkDecisionRow, BulkStatus, Decision, Payment, RowResult
from igny8_core.business.billing.services.payments.approving_many import (
    Keep,
    Outcome,
    Selected,
    approve_many,
    decide_alone,
)
from igny8_core.business.billing.services.payments.offline import approve_locked, reject_locked, rejection_code
from igny8_core.business.billing.services.payments.seen_repeats import require_seen
from igny8_core.business.billing.services.settlement import Settlement
from igny8_core.common import clock
from igny8_core.common.db import PreparedStatement, service_transaction
from igny8_core.common.marks import gettext_noop
from igny8_core.common.work_queue import WorkQueue

SET = 500
# Each outcome that is kept holds the order for so long again.
LEASE = timedelta(minutes=1)
PAUSES = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 300, 600)]
NOT_ALLOWED = gettext_noop("The operator may not decide payments any more, so this one was left.")
GIVEN_UP = gettext_noop("It was not decided: something failed several times. Tell a developer, then decide it again.")
KEEP = PreparedStatement(
    name="igny8_keep_decided",
    types=("bigint", "bigint[]", "text[]", "text[]", "text[]", "timestamptz"),
    sql="""
        WITH held AS (
            UPDATE igny8_bulk_decisions SET next_attempt_at = $6 WHERE id = $1 AND status = 'waiting'
        )
        UPDATE igny8_bulk_decision_rows row
        SET result = decided.result, outcome = decided.outcome, caution = decided.caution
        FROM unnest($2, $3, $4, $5) AS decided (payment_id, result, outcome, caution)
        WHERE row.bulk_id = $1 AND row.payment_id = decided.payment_id
          AND (row.result = 'waiting' OR decided.result = 'done')
    """,
)


@dataclass(frozen=True)
class Words:
    """What an operator says once for all payments of an order."""

    note: str = ""
    override_duplicate: bool = False
    reason_code: str = ""
    reason: str = ""


@service_transaction
def order_decision(
    decision: Decision, words: Words, decided_by: User, payments: Sequence[Payment], seen: Mapping[int, Sequence[int]]
) -> BulkDecision:
    """Order that the payments are decided. `seen`: the repeats that were shown of each, by its id.

    Raises InvalidInput as rejection_code does.
    """
    code = rejection_code(words.reason_code, words.reason).value if decision == Decision.REJECT else ""
    bulk = BulkDecision.objects.create(
        decided_by=decided_by,
        decision=decision,
        note=words.note,
        override_duplicate=words.override_duplicate,
        reason_code=code,
        reason=words.reason,
        next_attempt_at=clock.now(),
    )
    # The payments of one account come one after the other, in the order in which they were confirmed.
    in_order = sorted(payments, key=lambda payment: (payment.account_id, payment.created_at, payment.pk))
    rows = (BulkDecisionRow(bulk=bulk, payment=each, seen_repeats=list(seen.get(each.pk, []))) for each in in_order)
    BulkDecisionRow.objects.bulk_create(rows, batch_size=1000)
    return bulk


def carry_out(bulk: BulkDecision) -> None:
    """Carry an order out now, unless a worker has taken it. RuntimeError in a transaction."""
    taken = QUEUE.take_now(bulk)
    if taken:
        QUEUE.attempt(taken)


def carry_out_due(limit: int = 10) -> int:
    """Carry out at most `limit` orders that wait; returns how many."""
    return QUEUE.run(limit)


def progress_of(bulk: BulkDecision) -> dict[str, int]:
    """How many rows of the order have each result, and `all`."""
    counted = dict(bulk.rows.order_by().values_list("result").annotate(Count("pk")))
    return {**{result.value: counted.get(result.value, 0) for result in RowResult}, "all": sum(counted.values())}


def _carry_out(bulk: BulkDecision) -> dict[str, object]:
    keep = partial(_keep, bulk)
    columns = ("payment_id", "payment__account_id", "seen_repeats")
    while rows := list(_waiting(bulk).values_list(*columns)[:SET]):
        # Read anew for each set: thousands take a while, in which somebody may be dismissed.
        if not User.objects.get(pk=bulk.decided_by_id).may_as_operator("billing.approve_payment"):
            _refuse_rest(bulk, NOT_ALLOWED)
            break
        _decide(bulk, [Selected(row[0], row[1]) for row in rows], {row[0]: row[2] for row in rows}, keep)
    return {"status": BulkStatus.DONE, "finished_at": clock.now()}


def _decide(bulk: BulkDecision, selected: Sequence[Selected], seen: Mapping[int, Sequence[int]], keep: Keep) -> None:
    if bulk.decision == Decision.APPROVE:
        approve_many(selected, partial(_approve, bulk, seen), keep)
        return
    for each in selected:
        decide_alone(each, partial(_reject, bulk), keep)


def _approve(bulk: BulkDecision, seen: Mapping[int, Sequence[int]], payment: Payment) -> Settlement:
    require_seen(payment, seen[payment.pk])
    return approve_locked(payment, bulk.decided_by, bulk.note, override_duplicate=bulk.override_duplicate)


def _reject(bulk: BulkDecision, payment: Payment) -> Payment:
    return reject_locked(payment, bulk.reason, bulk.decided_by, bulk.reason_code, bulk.note)


def _keep(bulk: BulkDecision, outcomes: Sequence[Outcome]) -> None:
    results = [RowResult.DONE if outcome.is_decided else RowResult.REFUSED for outcome in outcomes]
    told = [[outcome.text for outcome in outcomes], [outcome.caution for outcome in outcomes]]
    KEEP.run([bulk.pk, [outcome.payment_id for outcome in outcomes], results, *told, clock.now() + LEASE])


def _waiting(bulk: BulkDecision) -> QuerySet[BulkDecisionRow]:
    return bulk.rows.filter(result=RowResult.WAITING)


def _refuse_rest(bulk: BulkDecision, why: str) -> None:
    _waiting(bulk).update(result=RowResult.REFUSED, outcome=why)


def _give_up(bulk: BulkDecision, error: str) -> None:
    _refuse_rest(bulk, GIVEN_UP)
    QUEUE.close(bulk, error, status=BulkStatus.DONE, finished_at=clock.now())


QUEUE = WorkQueue(
    name="bulk decision",
    rows=BulkDecision.objects.select_related("decided_by"),
    lease=LEASE,
    work=_carry_out,
    pauses=lambda _: PAUSES,
    give_up=_give_up,
    state=("status", BulkStatus.WAITING),
)
