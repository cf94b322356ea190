"""Breaking what the database guards, to see that somebody notices."""

from collections.abc import Callable
from typing import Any

from django.db import connection


def run(sql: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def unguarded(*tables: str, kinds: str = "cf") -> None:
    """Take triggers, checks and foreign keys off, with kind u also unique keys; the test's rollback puts them back."""
    for table in tables:
        # Deferred checks that wait in the queue would forbid to alter the table.
        run("SET CONSTRAINTS ALL IMMEDIATE")
        run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        with connection.cursor() as cursor:
            cursor.execute(
                'SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = ANY (%s::"char"[])',
                [table, list(kinds)],
            )
            names = [name for (name,) in cursor.fetchall()]
        for name in names:
            run(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE")


def forget_event(event_type: str) -> Callable[[Any], None]:
    """A break: all events of a type are gone."""

    def forget(world: Any) -> None:
        unguarded("igny8_events", "igny8_event_deliveries")
        run("DELETE FROM igny8_event_deliveries")
        run("DELETE FROM igny8_events WHERE type = %s", event_type)

    forget.__name__ = f"forget_{event_type}"
    return forget
