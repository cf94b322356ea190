"""Tells the whole story to the empty database that DATABASE_URL names, with the code that PYTHONPATH names."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import django
import time_machine

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from stopped_clock import stopped_at  # noqa: E402
from story_6259b03 import catalogue, changes, credits, customers, endings, mirrored, reversals  # noqa: E402
from story_6259b03.stage import make_chance_repeatable, set_stage  # noqa: E402

from igny8_core.business.billing.invariants import INVARIANTS, broken_invariants  # noqa: E402

CHAPTERS = (
    catalogue.open_shop,
    customers.first_customers,
    customers.people_and_sites,
    customers.payers_at_gateways,
    credits.packages,
    changes.changes_of_plan,
    credits.by_hand,
    changes.ends,
    catalogue.edit_what_was_sold,
    changes.come_back,
    mirrored.begin,
    changes.changes_after_edits,
    credits.after_the_edits,
    changes.operators_and_accounts,
    reversals.refunds,
    mirrored.go_on,
    reversals.disputes,
    reversals.end_of_disputes,
    reversals.money_for_nothing,
    endings.invoices_by_hand,
    endings.deleted_accounts,
    changes.changes_under_way,
    credits.last_orders,
    endings.last_days,
    endings.last_hour,
)
BEGIN, END = datetime(2026, 1, 5, 7, tzinfo=UTC), "07-01 11:53"


def tell() -> None:
    """Migrate, tell every chapter, and refuse a story in which an invariant is broken."""
    setup_test_environment()
    # Tables are made before anything stands in the way of the server's own functions.
    with time_machine.travel(BEGIN, tick=False):
        call_command("migrate", verbosity=0)
    with stopped_at(BEGIN) as clock:
        make_chance_repeatable()
        with set_stage(clock) as stage:
            for chapter in CHAPTERS:
                chapter(stage)
            stage.at(END)
            if broken := broken_invariants():
                sys.exit(f"Broken when the story ends: {broken}")
    _tidy()


def _tidy() -> None:
    """Each table in the order of its keys, wherever updates have put the rows."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'CLUSTER "{table}" USING "{_key_of(table)}"')
            cursor.execute(f'ALTER TABLE "{table}" SET WITHOUT CLUSTER')


def _key_of(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass AND indisprimary", [table]
        )
        return str(cursor.fetchone()[0])


def write_invariants(path: Path) -> None:
    """The queries that find what must not be, as they were."""
    queries = {invariant.name: " ".join(invariant.sql.split()) for invariant in INVARIANTS}
    path.write_text(json.dumps(queries, indent=1) + "\n")


if __name__ == "__main__":
    tell()
    write_invariants(Path(sys.argv[1]))
