"""What services need of the database beside the ORM: transactions, prepared statements, text locks."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, partial, wraps
from typing import Any, ParamSpec, TypeVar

import psycopg2
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
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
from django.db.models import BooleanField, F, Func, Model, Q, QuerySet

from igny8_core.common import obstacles

# So often is an operation done anew; nobody puts more in its way in that time.
CLEARINGS = 5

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def require_atomic() -> None:
    """Raise RuntimeError outside a transaction: a lock taken there would be gone at once."""
    if not connection.in_atomic_block:
        raise RuntimeError("This needs a transaction: a row lock ends with its transaction.")


def require_no_transaction() -> None:
    """Raise RuntimeError inside a transaction: whoever asks the network there makes every lock wait for the answer."""
    with transaction.atomic(durable=True):
        pass


def service_transaction(operation: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorator of a public service method: all it does is committed together, or nothing of it.

    A method that another service calls joins that one's transaction, without the two extra statements of a savepoint.
    So a service never goes on after a refusal of another one: it lets it pass, and everything is rolled back.
    An obstacle that the method meets is cleared after the rollback, and the method is called again.
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
    """Do `work`, which has a transaction of its own; each obstacle that it meets is cleared, and it is done anew.

    Inside a service's transaction the obstacle passes, to whoever holds that one. Where obstacles keep coming, the last
    one is raised; and so is what a clearing is refused with.
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
    """A transaction that the services called in the block join, as they join each other's; it joins one itself."""
    if _inside_service.get():
        yield
        return
    with transaction.atomic():
        token = _inside_service.set(True)
        try:
            yield
        finally:
            _inside_service.reset(token)


_inside_service: ContextVar[bool] = ContextVar("inside_service", default=False)


@dataclass(frozen=True)
class PreparedStatement:
    """A hot SQL statement, prepared once per database connection.

    `types` are the PostgreSQL types of `$1`, `$2`, … in `sql`. With settings.DATABASE_PREPARED_STATEMENTS off
    (needed behind a pooler in transaction mode, where a session's statements do not stay) the same SQL is sent whole.
    """

    name: str
    types: tuple[str, ...]
    sql: str

    def fetch_one(self, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
        """Run the statement with one parameter per type; return its first row, or None when there is none."""
        row: tuple[Any, ...] | None = self._execute(parameters).fetchone()
        return row

    def fetch_all(self, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run the statement with one parameter per type; return its rows."""
        rows: list[tuple[Any, ...]] = self._execute(parameters).fetchall()
        return rows

    def fetch_first(self, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
        """Like fetch_one, for a statement that only reads and is the first of a request.

        It takes the place of Django's question whether the connection is still there, which costs as much again: on a
        connection that is gone a new one is opened, and the statement is sent once more.
        """
        connections[DEFAULT_DB_ALIAS].health_check_done = True  # type: ignore[attr-defined]
        try:
            return self.fetch_one(parameters)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or connection.is_usable():
                raise
            connection.close()
            return self.fetch_one(parameters)

    def run(self, parameters: Sequence[Any]) -> None:
        """Run a statement that returns no rows."""
        self._execute(parameters)

    def _execute(self, parameters: Sequence[Any]) -> Any:
        """The driver's cursor, which holds the rows already: fetching asks nobody, so it needs no Django around it."""
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
    """What stays with one connection of the driver: a cursor for all prepared statements, and which are prepared.

    Django makes a cursor for each statement, which costs as much as sending it. This one is Django's as well: it
    translates errors, runs execute_wrappers and refuses a broken transaction as any other.
    """

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        self.cursor: CursorWrapper = wrapper.cursor()
        self.driver = wrapper.connection
        self.is_logged = wrapper.queries_logged
        self.prepared: set[str] = set()


def _kept_on_connection() -> _Kept:
    # This thread's own. Asked of it once, because `connection` looks it up anew for every attribute.
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    # As for every cursor of Django's; what forbids the database to a test stands in the way here, too.
    wrapper.close_if_health_check_failed()
    wrapper.ensure_connection()
    kept: _Kept | None = getattr(wrapper, "igny8_kept", None)
    # Django's wrapper outlives the driver's connection, which it opens anew after an error or CONN_MAX_AGE.
    if kept is None or kept.driver is not wrapper.connection:
        wrapper.igny8_kept = kept = _Kept(wrapper)
    elif kept.is_logged != wrapper.queries_logged:
        kept.cursor, kept.is_logged = wrapper.cursor(), wrapper.queries_logged
    return kept


@contextmanager
def refusing(constraint: str, error: Exception) -> Iterator[None]:
    """Turn the violation of the named constraint by the one insert in the block into `error`.

    The block gets a savepoint, so that the transaction around it stays usable. Other violations pass through.
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
    """Set columns of a locked row; returns the names of those that had another value, for save(update_fields=…)."""
    changed = sorted(name for name, value in columns.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, columns[name])
    return changed


def among(column: str, values: QuerySet[Any]) -> Q:
    """Condition: `column` is one of `values`, a query of one column that is run first.

    Where it is joined with OR to conditions on other columns, PostgreSQL still uses the index of each; beside `IN (…)`
    it would use none.
    """
    found = ArraySubquery(values)
    is_one = Func(F(column), found, template="(%(expressions)s))", arg_joiner=" = ANY (", output_field=BooleanField())
    return Q(is_one)


def lock_text(kind: str, text: str) -> None:
    """Hold a lock on a text until the transaction ends, where there is no row yet to lock.

    Taken before any row lock (docs/locking.md). `kind` keeps different uses apart.
    """
    require_atomic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{kind}:{text}"])
