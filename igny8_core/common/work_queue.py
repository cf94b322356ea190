"""Rows that are worked at until they are done or given up: deliveries of events, messages of gateways, open payments.

The row is the queue's entry, so whatever a killed worker leaves behind is found by the next one (docs/adr/0001). A
worker takes a row by one conditional UPDATE, which puts the next try ahead by a lease and counts the attempt. Because
an attempt is counted when it begins, a row that takes its workers with it is given up like one that fails.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import F, Model, Q, QuerySet

from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction
from igny8_core.common.errors import DomainError

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)

NO_END = "No try came to an end."
LONGEST_ERROR = 500


# Neither compared nor printed: both would run the query in `rows`.
@dataclass(frozen=True, eq=False, repr=False)
class WorkQueue(Generic[Row]):
    """The rows of a table that wait for a worker, and the rules by which they are tried.

    `name` stands in the log: "webhook failed". `rows` are loaded with what `work` reads. `work` is called outside any
    transaction, at least once per row; it returns the columns that say that the row is done, or None to have it tried
    again, as after an error. `pauses` are what lies between a row's tries; when the try after the last pause has not
    ended it either, `give_up` is called with the row and the last error, and closes it or hands it to a person.

    A row is due when the time in its column `due_at` has come and the column `state` says that it waits; without
    `state` the time alone tells. `attempts` counts its tries, `error` keeps why the last one failed, where there is
    such a column. `lease` has to be longer than any try, and by minutes longer than two machines' clocks are apart.
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

    def run(self, limit: int) -> int:
        """Try the rows that are due, those that wait longest first, at most `limit`; returns how many were tried.

        RuntimeError in a transaction.
        """
        require_no_transaction()
        for tried in range(limit):
            row = self.take()
            if row is None:
                return tried
            self.attempt(row)
        return limit

    def take(self) -> Row | None:
        """Take the row that is due for longest; None where none is, or others have taken them."""
        now = clock.now()
        waiting = [self.state[1]] if self.state else []
        with connection.cursor() as cursor:
            cursor.execute(self._take, [now + self.lease, *waiting, now])
            found = cursor.fetchone()
        return self.rows.get(pk=found[0]) if found else None

    def take_now(self, row: Row) -> Row | None:
        """Take one row, though it may not be due; None where it does not wait."""
        due = {self.attempts: F(self.attempts) + 1, self.due_at: clock.now() + self.lease}
        return self.rows.get(pk=row.pk) if self._waiting(row).update(**due) else None

    def attempt(self, row: Row) -> None:
        """Work at a row that was taken, and note what became of it. RuntimeError in a transaction.

        What the work itself, an operator or another worker has noted meanwhile counts for more.
        """
        require_no_transaction()
        tries, pauses, taken = getattr(row, self.attempts), self.pauses(row), self._as_taken(row)
        if tries > len(pauses) + 1:
            self.give_up(row, NO_END)
            return
        done, error = self._try(row)
        if done is not None:
            self.close(row, **done)
        elif tries <= len(pauses):
            taken.update(**{self.due_at: clock.now() + pauses[max(tries, 1) - 1], **self._because(error)})
        elif taken.exists():
            self.give_up(row, error)

    def close(self, row: Row, error: str = "", **columns: Any) -> bool:
        """Take a row out of the queue as what it has become; False where it does not wait any more."""
        return bool(self._waiting(row).update(**{self.due_at: None, **self._because(error), **columns}))

    def _try(self, row: Row) -> tuple[Mapping[str, Any] | None, str]:
        try:
            return self.work(row), ""
        except DomainError as refusal:
            logger.warning("%s waits", self.name, extra={"row": row.pk, "code": refusal.code})
            return None, _as_text(f"{refusal.code}: {refusal}")
        except Exception as error:
            # The outermost wrapper of a worker: one row that breaks it must not hold up the others (WHK-14).
            logger.exception("%s failed", self.name, extra={"row": row.pk})
            return None, _as_text(f"{type(error).__name__}: {error}")

    def _waiting(self, row: Row) -> QuerySet[Row]:
        state = Q(self.state) if self.state else Q((f"{self.due_at}__isnull", False))
        return self.rows.model._default_manager.filter(state, pk=row.pk)

    def _as_taken(self, row: Row) -> QuerySet[Row]:
        """The row, as long as nobody has taken it, put it back or ended it since."""
        seen = [Q((name, getattr(row, name))) for name in (self.due_at, self.attempts)]
        return self._waiting(row).filter(*seen)

    def _because(self, error: str) -> dict[str, str]:
        return {self.error: error} if self.error else {}

    @cached_property
    def _take(self) -> str:
        # `=` and not IN: the inner query is run once, however the outer one is planned.
        table, waits = self.rows.model._meta.db_table, f"{self.state[0]} = %s AND " if self.state else ""
        return f"""
            UPDATE {table} SET {self.attempts} = {self.attempts} + 1, {self.due_at} = %s
            WHERE id = (
                SELECT id FROM {table} WHERE {waits}{self.due_at} <= %s
                ORDER BY {self.due_at}, id LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING id
        """  # noqa: S608 - our names only


def _as_text(error: str) -> str:
    # PostgreSQL refuses NUL in text, and an error may quote what was sent.
    return error.replace("\0", "")[:LONGEST_ERROR]
