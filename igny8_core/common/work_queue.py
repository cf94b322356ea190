"""A queue in a table, such as deliveries or webhook messages: rows are tried until they are done or given up (FLT-03).

The row is the queue's entry, so the next worker finds what a killed worker left behind (docs/adr/0001). A worker takes
a row by one conditional UPDATE, which counts the attempt and moves the next attempt into the future by a lease.
Attempts are counted when they begin, so a row that crashes its workers is given up like a row that fails.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, Model, Q, QuerySet

from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction
from igny8_core.common.errors import DomainError
from igny8_core.common.job_log import Job, job

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)
Result = TypeVar("Result")

NO_END = "No attempt finished."
LONGEST_ERROR = 500
# An attempt that is put back counts no further than this, so that the number still shows that it was tried before.
PUT_BACK_COUNTS = 2


class PutBack(Exception):
    """Raised by `work`: the attempt failed because of something that is not the row's. It is tried again at `until`.

    `counts`: whether the attempt counts towards giving up.
    """

    def __init__(self, error: str, until: datetime, *, counts: bool) -> None:
        super().__init__(error)
        self.until = until
        self.counts = counts


# Without eq and repr: both would run the query in `rows`.
@dataclass(frozen=True, eq=False, repr=False)
class WorkQueue(Generic[Row]):
    """The rows of a table that wait for a worker, and the rules for trying them.

    - `name` is for the log, as in "webhook failed".
    - `rows` is the query that loads a row, with the relations that `work` reads.
    - `work` is called outside any transaction, at least once per row. It returns the column values of a row that is
      done, or None to have the row tried again, as after an error.
    - `pauses` are the times between a row's attempts. If the attempt after the last pause fails too, `give_up` is
      called with the row and the last error; it closes the row or hands it to a person.
    - A row is due if the time in its column `due_at` has come and its column `state` has the waiting value. Without
      `state`, the time alone decides.
    - `attempts` is the column that counts attempts, `error` the column for the last error, if there is one.
    - `among`, if given, is a column, a function that names values of it, and whether the rows are those with these
      values or those without: two queues can share a table.
    - `about` tells for the log the id of the request that caused a row, and its account.
    - `lease` must be longer than any attempt, and longer by minutes than the difference of two machines' clocks.
    """

    name: str
    rows: QuerySet[Row]
    lease: timedelta
    work: Callable[[Row], Mapping[str, Any] | None]
    pauses: Callable[[Row], Sequence[timedelta]]
    give_up: Callable[[Row, str], None]
    state: tuple[str, str] | None = ("state", "waiting")
    due_at: str = "next_attempt_at"
    attempts: str = "attempts"
    error: str | None = "last_error"
    among: tuple[str, Callable[[], list[str]], bool] | None = None
    about: Callable[[Row], tuple[str, int | None]] = lambda row: ("", getattr(row, "account_id", None))

    def run(self, limit: int) -> int:
        """Try at most `limit` rows that are due, the longest due first. Returns how many were tried.

        Raises RuntimeError inside a transaction.
        """
        require_no_transaction()
        for tried in range(limit):
            row = self.take()
            if row is None:
                return tried
            self.attempt(row)
        return limit

    def take(self) -> Row | None:
        """Take the row that has been due for longest; None if no row is due that other workers have not taken."""
        now = clock.now()
        waiting = [self.state[1]] if self.state else []
        with connection.cursor() as cursor:
            among: list[Any] = [self.among[1](), self.among[2]] if self.among else []
            cursor.execute(self._take, [now + self.lease, *waiting, *among, now])
            found = cursor.fetchone()
        return self.rows.get(pk=found[0]) if found else None

    def take_now(self, row: Row) -> Row | None:
        """Take this row, even if it is not due yet; None if it no longer waits."""
        due = {self.attempts: F(self.attempts) + 1, self.due_at: clock.now() + self.lease}
        return self.rows.get(pk=row.pk) if self._waiting(row).update(**due) else None

    def attempt(self, row: Row) -> None:
        """Try a row that was taken, and store the result. Raises RuntimeError inside a transaction.

        If the work, an operator or another worker has changed the row meanwhile, that change stays.
        """
        require_no_transaction()
        request_id, account = self.about(row)
        with job(self.name, request_id, row=row.pk, account=account) as told:
            self._attempt(row, told)

    def _attempt(self, row: Row, told: Job) -> None:
        tries, pauses, taken = getattr(row, self.attempts), self.pauses(row), self._as_taken(row)
        if tries > len(pauses) + 1:
            told.outcome = "given up"
            self.give_up(row, NO_END)
            return
        try:
            done, error = self._try(row)
        except PutBack as reason:
            told.outcome = "put back"
            counted = tries if reason.counts else max(tries - 1, min(tries, PUT_BACK_COUNTS))
            back = {self.due_at: reason.until, self.attempts: counted, **self._because(_as_text(str(reason)))}
            _once_more(lambda: taken.update(**back))
            return
        if done is not None:
            _once_more(lambda: self.close(row, **done))
        elif tries <= len(pauses):
            told.outcome = "waits"
            waits = {self.due_at: clock.now() + pauses[max(tries, 1) - 1], **self._because(error)}
            _once_more(lambda: taken.update(**waits))
        elif taken.exists():
            told.outcome = "given up"
            self.give_up(row, error)

    def close(self, row: Row, error: str = "", **columns: Any) -> bool:
        """Take a row out of the queue and set `columns` on it; False if it no longer waits."""
        return bool(self._waiting(row).update(**{self.due_at: None, **self._because(error), **columns}))

    def _try(self, row: Row) -> tuple[Mapping[str, Any] | None, str]:
        try:
            return self.work(row), ""
        except PutBack:
            raise
        except DomainError as refusal:
            logger.warning("%s waits", self.name, extra={"row": row.pk, "code": refusal.code})
            return None, _as_text(f"{refusal.code}: {refusal}")
        except Exception as error:
            # The outermost wrapper of a worker: one bad row must not stop the others (WHK-14).
            logger.exception("%s failed", self.name, extra={"row": row.pk})
            return None, _as_text(f"{type(error).__name__}: {error}")

    def _waiting(self, row: Row) -> QuerySet[Row]:
        state = Q(self.state) if self.state else Q((f"{self.due_at}__isnull", False))
        return self.rows.model._default_manager.filter(state, pk=row.pk)

    def _as_taken(self, row: Row) -> QuerySet[Row]:
        """The row, unless somebody has taken, changed or closed it since we took it."""
        seen = [Q((name, getattr(row, name))) for name in (self.due_at, self.attempts)]
        return self._waiting(row).filter(*seen)

    def _because(self, error: str) -> dict[str, str]:
        return {self.error: error} if self.error else {}

    @cached_property
    def _take(self) -> str:
        # `=` and not IN, so that the inner query runs once, whatever the plan of the outer one.
        table, waits = self.rows.model._meta.db_table, f"{self.state[0]} = %s AND " if self.state else ""
        if self.among:
            waits += f"({self.among[0]} = ANY(%s)) = %s AND "
        return f"""
            UPDATE {table} SET {self.attempts} = {self.attempts} + 1, {self.due_at} = %s
            WHERE id = (
                SELECT id FROM {table} WHERE {waits}{self.due_at} <= %s
                ORDER BY {self.due_at}, id LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING id
        """  # noqa: S608 - our names only


def _once_more(write: Callable[[], Result]) -> Result:
    """Write what became of an attempt; if the connection broke meanwhile, on a new one.

    The work is done and would be done again, a mail sent twice, if nobody wrote that down.
    """
    try:
        return write()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return write()


def _as_text(error: str) -> str:
    # PostgreSQL refuses NUL in text, and an error can quote the caller's input.
    return error.replace("\0", "")[:LONGEST_ERROR]
