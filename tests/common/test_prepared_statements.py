"""Prepared statements share one cursor per connection, and act as the same SQL on a cursor of its own would."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, InternalError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from igny8_core.common.db import PreparedStatement
from tests.concurrency.race import all_at_once

SQL = "SELECT 10 / $1, $2, $3, $4 FROM generate_series(1, 2)"
ECHO = PreparedStatement("test_echo", ("integer", "text", "timestamptz", "text[]"), SQL)
ADDED = PreparedStatement("test_added", ("integer",), "SELECT $1 + 1")
PARAMETERS = [5, "a'b %s \\ é", datetime(2026, 11, 29, 12, tzinfo=UTC), ["x", "{y}", None]]


def plain() -> list[tuple[Any, ...]]:
    """The same on a cursor of Django's, with nothing prepared."""
    with connection.cursor() as cursor:
        sql = "SELECT 10 / %s::integer, %s::text, %s::timestamptz, %s::text[] FROM generate_series(1, 2)"
        cursor.execute(sql, PARAMETERS)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


@pytest.mark.django_db
@pytest.mark.parametrize("prepared", [True, False])
def test_rows_are_those_of_a_cursor_of_django_s(settings: Any, prepared: bool) -> None:
    settings.DATABASE_PREPARED_STATEMENTS = prepared

    assert ECHO.fetch_all(PARAMETERS) == plain()
    assert ECHO.fetch_one(PARAMETERS) == plain()[0]
    # What another statement left on the cursor is no answer to this one.
    assert ADDED.fetch_all([1]) == [(2,)]
    with pytest.raises(ValueError, match="takes 1 parameters, got 2"):
        ADDED.fetch_one([1, 2])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("prepared", [True, False])
def test_an_error_is_django_s_and_leaves_the_next_statement_alone(settings: Any, prepared: bool) -> None:
    settings.DATABASE_PREPARED_STATEMENTS = prepared

    with pytest.raises(DataError, match="division by zero"):
        ECHO.fetch_one([0, *PARAMETERS[1:]])

    assert ECHO.fetch_all(PARAMETERS) == plain()


@pytest.mark.django_db(transaction=True)
def test_a_broken_transaction_is_refused_and_rolled_back_to_its_savepoint() -> None:
    with transaction.atomic():
        with pytest.raises(DataError), transaction.atomic():
            ECHO.fetch_one([0, *PARAMETERS[1:]])
        assert ADDED.fetch_one([1]) == (2,)

        with pytest.raises(DataError):
            ECHO.fetch_one([0, *PARAMETERS[1:]])
        with pytest.raises(InternalError, match="aborted"):
            ADDED.fetch_one([1])
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            ADDED.fetch_one([1])


@pytest.mark.django_db
def test_whoever_watches_the_connection_sees_the_statements() -> None:
    seen: list[str] = []

    def note(execute: Callable[..., object], sql: str, *rest: object) -> object:
        seen.append(sql)
        return execute(sql, *rest)

    ADDED.fetch_one([1])
    with connection.execute_wrapper(note), CaptureQueriesContext(connection) as trace:
        ADDED.fetch_one([2])
    ADDED.fetch_one([3])

    assert seen == ["EXECUTE test_added (%s::integer)"]
    assert [query["sql"] for query in trace.captured_queries] == ["EXECUTE test_added (2::integer)"]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_gets_a_cursor_and_prepares_anew(statements: list[str]) -> None:
    ADDED.fetch_one([1])
    connection.close()
    statements.clear()

    assert [ADDED.fetch_one([1]), ADDED.fetch_one([2])] == [(2,), (3,)]
    assert [sql.split(" (")[0] for sql in statements] == ["PREPARE test_added", *["EXECUTE test_added"] * 2]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_noticed_by_the_health_check_and_by_the_first_read() -> None:
    def end() -> None:
        backend = connection.connection.info.backend_pid
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        other.close()

    ADDED.fetch_one([1])
    end()
    assert ADDED.fetch_at_start([1]) == [(2,)]

    end()
    connection.health_check_enabled, connection.health_check_done = True, False
    assert ADDED.fetch_one([1]) == (2,)

    end()
    with pytest.raises(OperationalError):
        ADDED.fetch_one([1])
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_threads_have_cursors_of_their_own() -> None:
    calls = [lambda number=number: [ADDED.fetch_one([number]) for _ in range(50)] for number in range(8)]

    assert all_at_once(calls) == [[(number + 1,)] * 50 for number in range(8)]


def test_a_test_that_asks_for_no_database_gets_none() -> None:
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        ADDED.fetch_one([1])
