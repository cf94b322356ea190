"""What many tests begin with, built once in a process and put back from its rows in a hundredth of a second."""

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction

from igny8_core.business.billing.models import PaymentProof
from tests.api.world import undone
from tests.prepared_database import EMPTY_TABLES

# Tokens of people live for 15 minutes.
GOOD_FOR = 600  # seconds
LABELS = {"igny8_auth", "billing", "events", "common", "auth", "admin"}
# Written by migrations, and there in every test.
ALWAYS_THERE = {"auth_permission"}
Built = TypeVar("Built")


@dataclass(frozen=True)
class Snapshot:
    """What was built: what its function gave back, pickled, its rows as JSON by table, and its files."""

    built: bytes
    rows: dict[str, str]
    files: dict[str, bytes]
    made_at: float

    @property
    def statement(self) -> str:
        """It saves the rows of all tables at once."""
        inserts = (
            f"{table}_ AS (INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s::json)"
            " ON CONFLICT DO NOTHING)"
            for table in self.rows
        )
        return f"WITH {', '.join(inserts)} SELECT"


_taken: dict[str, Snapshot] = {}


def restored(name: str, build: Callable[[], Built]) -> Built:
    """What `build` builds and gives back, as no test has touched it, saved in the test's transaction.

    `name` says what it is; whatever is built by one name is the same. It is built on empty tables. Rows that the test
    has already, with a name or number that may be there once only, stay as they are.
    """
    if not _can_put_back():
        return build()
    if name not in _taken or time.monotonic() - _taken[name].made_at > GOOD_FOR:
        _taken[name] = _take(build)
    _put_back(_taken[name])
    # Twice as fast as a deep copy.
    return pickle.loads(_taken[name].built)  # type: ignore[no-any-return]


@cache
def _can_put_back() -> bool:
    # Rows are put back in any order, without the checks that they have passed once; only a superuser may.
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


@cache
def _tables() -> list[str]:
    models = [model._meta for model in apps.get_models(include_auto_created=True)]
    return [model.db_table for model in models if model.app_label in LABELS and model.db_table not in ALWAYS_THERE]


def _take(build: Callable[[], Any]) -> Snapshot:
    with undone(), connection.cursor() as cursor:
        cursor.execute(EMPTY_TABLES)
        cursor.execute("SET LOCAL session_replication_role = origin")
        built = build()
        rows = {}
        for table in _tables():
            cursor.execute(f"SELECT json_agg(r)::text FROM {table} r")
            (found,) = cursor.fetchone()
            if found:
                rows[table] = found
        names = PaymentProof.objects.values_list("file", flat=True)
        files = {name: _content(name) for name in names}
    return Snapshot(pickle.dumps(built), rows, files, time.monotonic())


def _content(name: str) -> bytes:
    with default_storage.open(name) as stored:
        content: bytes = stored.read()
    return content


def _put_back(snapshot: Snapshot) -> None:
    if snapshot.rows:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(snapshot.statement, list(snapshot.rows.values()))
            cursor.execute("SET LOCAL session_replication_role = origin")
    for name, content in snapshot.files.items():
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(content))
