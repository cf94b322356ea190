"""The suite's own databases: copied from a template that is never out of date, and truly empty between tests."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase

from igny8_core.events.models import Event
from tests import make, prepared_database


@pytest.mark.django_db(transaction=True)
def test_emptying_takes_all_rows_and_leaves_every_guard_in_place() -> None:
    payment = make.submitted_payment()
    make.credits(payment.account, 5)
    assert Event.objects.exists()
    kinds = ContentType.objects.count()

    prepared_database.empty_tables(TransactionTestCase())

    left = {model.__name__ for model in apps.get_models() if model._default_manager.exists()}
    assert left == {"ContentType", "Permission"}
    assert ContentType.objects.count() == kinds
    make.credits(make.submitted_payment().account, 5)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM igny8_events")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE igny8_accounts SET owner_id = -1")
    assert Event.objects.exists()


def test_a_changed_migration_asks_for_another_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    migration = tmp_path / "migrations" / "0001_initial.py"
    migration.write_text("one")
    monkeypatch.setattr(apps, "get_app_configs", lambda: [SimpleNamespace(label="app", path=str(tmp_path))])
    first = prepared_database._wanted_state(Server("18.1"))

    assert prepared_database._wanted_state(Server("18.1")) == first
    assert prepared_database._wanted_state(Server("18.2")) != first
    migration.write_text("two")
    assert prepared_database._wanted_state(Server("18.1")) != first


class Server:
    """A cursor at a server of some version."""

    def __init__(self, version: str) -> None:
        self.version = version

    def execute(self, sql: str) -> None:
        assert sql == "SHOW server_version"

    def fetchone(self) -> tuple[str]:
        return (self.version,)


def test_the_database_of_this_run_is_a_copy_of_the_template(db: Any) -> None:
    name = connection.settings_dict["TEST"]["TEMPLATE"]

    assert name.startswith("template_")
    with prepared_database._server_of_one(name) as cursor:
        assert prepared_database._state(cursor, name) == prepared_database._wanted_state(cursor)
