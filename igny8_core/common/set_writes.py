"""Writing the rows of many changes with a few statements, by the code that writes the rows of one.

Inside `written_together`, writers hand over their values (`handed_over`) instead of sending them; at the end each
statement is sent once with all values. So what the writers read would be old: nothing may be sent meanwhile. Who asks
the database for something gets NeedsDatabase, and the caller makes that change by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, transaction

from igny8_core.common.db import PreparedStatement, require_atomic

Values = Sequence[Any]


class NeedsDatabase(Exception):
    """A change of a set asked the database for something; it has to be made by itself."""


class NotAllWritten(RuntimeError):
    """A statement of a set wrote fewer rows than it was given; the transaction has to be rolled back."""


class SetOfWrites:
    """The values that writers have handed over, by statement, in the order in which each was first used."""

    def __init__(self, ids: dict[str, list[int]]) -> None:
        self._ids = ids
        self._kept: dict[str, tuple[PreparedStatement, list[Values], bool]] = {}
        self._of_change: list[tuple[PreparedStatement, Values, bool]] = []

    @contextmanager
    def change(self) -> Iterator[None]:
        """What the block hands over is kept, or nothing of it if the block raises."""
        self._of_change = []
        try:
            yield
        except NeedsDatabase:
            # Django has marked the transaction as broken, as after an error of the database. Nothing was sent to it.
            transaction.set_rollback(False)
            raise
        for statement, values, writes_each in self._of_change:
            self._kept.setdefault(statement.name, (statement, [], writes_each))[1].append(values)

    def hand_over(self, statement: PreparedStatement, values: Values, *, writes_each: bool) -> None:
        self._of_change.append((statement, values, writes_each))

    def take_id(self, table: str) -> int:
        return self._ids[table].pop()

    def send(self) -> None:
        """Send each statement with all its values. Raises NotAllWritten."""
        for statement, values, writes_each in self._kept.values():
            written = statement.fetch_all([list(column) for column in zip(*values, strict=True)])
            if writes_each and len(written) != len(values):
                raise NotAllWritten(f"{statement.name} wrote {len(written)} of {len(values)} rows.")


_open: ContextVar[SetOfWrites | None] = ContextVar("open_set_of_writes", default=None)


@contextmanager
def written_together(count: int, *tables: str) -> Iterator[SetOfWrites]:
    """Write what the block hands over at its end; nothing if it raises. For up to `count` rows of each of `tables`,
    ids are taken ahead.

    Raises NotAllWritten, RuntimeError outside a transaction.
    """
    require_atomic()
    writes = SetOfWrites({table: _ids(table, count) for table in tables})
    token = _open.set(writes)
    try:
        with connection.execute_wrapper(_refuse):
            yield writes
    finally:
        _open.reset(token)
    writes.send()


def handed_over(statement: PreparedStatement, values: Values, *, writes_each: bool = True) -> bool:
    """Hand the values of a row over to a statement that takes an array for each; False if rows are written one by one.

    With `writes_each`, the statement returns a row for each that it was given, and fewer are an error.
    """
    writes = _open.get()
    if writes is None:
        return False
    writes.hand_over(statement, values, writes_each=writes_each)
    return True


def id_ahead(table: str) -> int | None:
    """An id that was taken ahead for a new row of the table; None if rows are written one by one."""
    writes = _open.get()
    return writes.take_id(table) if writes else None


def _ids(table: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        # The highest first, so that taking from the end goes upwards.
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s) ORDER BY 1 DESC",
            [table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def _refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    raise NeedsDatabase(sql)
