"""Database tools beside the ORM: transactions of services, prepared statements, advisory locks (FLT-03)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, partial, wraps
from typing import Any, ParamSpec, TypeVar

import psycopg2
from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from igny8_core.common import obstacles
from igny8_core.common.request_id import note_commit

# An operation is repeated at most this often. More obstacles do not come up in that time.
CLEARINGS = 5
# So many values an SQL statement lists at most.
MOST_LISTED = 10_000

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def require_atomic() -> None:
    """Raise RuntimeError outside a transaction, where a row lock would end at once."""
    if not connection.in_atomic_block:
        raise RuntimeError("This needs a transaction: a row lock ends with its transaction.")


def require_no_transaction() -> None:
    """Raise RuntimeError inside a transaction. Network calls there would hold all its locks until the answer comes."""
    with transaction.atomic(durable=True):
        pass


def service_transaction(operation: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorator of a public service function: runs it in one transaction.

    If another service calls it, it joins that service's transaction, without the two extra statements of a savepoint.
    So a service must not catch the refusal of another service and go on; the whole transaction is rolled back.
    If the function meets an obstacle, the obstacle is cleared after the rollback and the function is called again.
    """

    def in_transaction(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if _inside_service.get():
            return operation(*args, **kwargs)
        with one_transaction():
            return operation(*args, **kwargs)

    @wraps(operation)
    def without_meeting(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return without_obstacles(partial(in_transaction, *args, **kwargs))

    return without_meeting


def without_obstacles(work: Callable[[], Result]) -> Result:
    """Call `work`, which opens its own transaction. If it meets an obstacle, clear the obstacle and call `work` again.

    Inside a service's transaction the obstacle is raised, for the outermost service to clear. After CLEARINGS repeats
    the last obstacle is raised. An error while clearing is raised too.
    """
    for _ in range(CLEARINGS):
        try:
            return work()
        except obstacles.Obstacle as obstacle:
            if _inside_service.get():
                raise
            obstacles.clear(obstacle)
    return work()


@contextmanager
def one_transaction() -> Iterator[None]:
    """A transaction that all services called in the block join. Inside a service, the block joins its transaction."""
    if _inside_service.get():
        yield
        return
    with transaction.atomic():
        token = _inside_service.set(True)
        try:
            yield
        finally:
            _inside_service.reset(token)
        # COMMIT is next. If the connection breaks now, nobody knows whether it was carried out.
        note_commit()


_inside_service: ContextVar[bool] = ContextVar("inside_service", default=False)


@dataclass(frozen=True)
class PreparedStatement:
    """An SQL statement that runs often, prepared once per database connection.

    `types` are the PostgreSQL types of `$1`, `$2`, … in `sql`. With settings.DATABASE_PREPARED_STATEMENTS off, the SQL
    is sent whole each time. A pooler in transaction mode needs that, because it does not keep prepared statements.
    """

    name: str
    types: tuple[str, ...]
    sql: str

    def fetch_one(self, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
        """Run the statement with one parameter per type; return its first row, or None if there is none."""
        row: tuple[Any, ...] | None = self._execute(parameters).fetchone()
        return row

    def fetch_all(self, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run the statement with one parameter per type; return its rows."""
        rows: list[tuple[Any, ...]] = self._execute(parameters).fetchall()
        return rows

    def fetch_at_start(self, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Like fetch_all, for a statement that reads and is the first of a request.

        It replaces Django's health check of the connection, which costs as much as the statement. If the connection is
        gone, a new one is opened and the statement is sent again.
        """
        connections[DEFAULT_DB_ALIAS].health_check_done = True  # type: ignore[attr-defined]
        try:
            return self.fetch_all(parameters)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or connection.is_usable():
                raise
            connection.close()
            return self.fetch_all(parameters)

    def run(self, parameters: Sequence[Any]) -> None:
        """Run a statement that returns no rows."""
        self._execute(parameters)

    def _execute(self, parameters: Sequence[Any]) -> Any:
        """The driver's cursor. It holds the rows already, so fetching needs no wrapper of Django's."""
        if len(parameters) != len(self.types):
            raise ValueError(f"{self.name} takes {len(self.types)} parameters, got {len(parameters)}")
        kept = _kept_on_connection()
        if settings.DATABASE_PREPARED_STATEMENTS:
            if self.name not in kept.prepared:
                kept.cursor.execute(f"PREPARE {self.name} ({', '.join(self.types)}) AS {self.sql}")
                kept.prepared.add(self.name)
            kept.cursor.execute(self._call, parameters)
        else:
            kept.cursor.execute(self._inlined, {f"p{i}": value for i, value in enumerate(parameters, start=1)})
        return kept.cursor.cursor

    @cached_property
    def _call(self) -> str:
        return f"EXECUTE {self.name} ({', '.join(f'%s::{sql_type}' for sql_type in self.types)})"

    @cached_property
    def _inlined(self) -> str:
        return re.sub(r"\$(\d+)", lambda match: f"%(p{match[1]})s::{self.types[int(match[1]) - 1]}", self.sql)


class _Kept:
    """What we keep per driver connection: one cursor for all prepared statements, and the names of those prepared.

    Django makes a cursor per statement, which costs as much as sending the statement. Our cursor is one of Django's: it
    translates errors, runs execute_wrappers and refuses a broken transaction.
    """

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        self.cursor: CursorWrapper = wrapper.cursor()
        self.driver = wrapper.connection
        self.is_logged = wrapper.queries_logged
        self.prepared: set[str] = set()


def _kept_on_connection() -> _Kept:
    # This thread's connection, looked up once: `connection` would look it up for every attribute.
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    # As Django does for each of its cursors. Tests that forbid the database block this call.
    wrapper.close_if_health_check_failed()
    wrapper.ensure_connection()
    kept: _Kept | None = getattr(wrapper, "igny8_kept", None)
    # Django's wrapper outlives the driver's connection and opens a new one after an error or CONN_MAX_AGE.
    if kept is None or kept.driver is not wrapper.connection:
        wrapper.igny8_kept = kept = _Kept(wrapper)
    elif kept.is_logged != wrapper.queries_logged:
        kept.cursor, kept.is_logged = wrapper.cursor(), wrapper.queries_logged
    return kept


@contextmanager
def refusing(constraint: str, error: Exception) -> Iterator[None]:
    """Raise `error` if the one insert in the block violates the named constraint.

    The block gets a savepoint, so that the transaction around it stays usable. Other violations are raised unchanged.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as violation:
        cause = violation.__cause__
        if isinstance(cause, psycopg2.Error) and cause.diag.constraint_name == constraint:
            raise error from violation
        raise


def set_changed(row: Model, columns: Mapping[str, Any]) -> list[str]:
    """Set columns of a locked row. Returns the names of the columns that changed, for save(update_fields=…)."""
    changed = sorted(name for name, value in columns.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, columns[name])
    return changed


def among(column: str, rows: QuerySet[Any], named: str = "pk") -> Q:
    """The condition that `column` is in the column `named` of `rows`. Both columns need an index.

    Up to MOST_LISTED values are read now and listed in the condition: so PostgreSQL can use an index for each part of
    an OR, and looks a value up in the list instead of comparing it with all. Where there are more, each row that is
    read is looked up among `rows`, until there are enough for a page.
    """
    listed = list(rows.order_by().values_list(named, flat=True)[: MOST_LISTED + 1])
    if len(listed) <= MOST_LISTED:
        return Q((f"{column}__in", listed))
    return Q(Exists(rows.filter((named, OuterRef(column)))))


def lock_text(kind: str, text: str) -> None:
    """Lock a text until the transaction ends; for work that has no row to lock yet.

    Take it before any row lock (docs/locking.md). `kind` keeps different uses apart.
    """
    require_atomic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{kind}:{text}"])
