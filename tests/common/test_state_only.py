"""Migrations that say they change nothing in the database do not, by Django's own account of their operations."""

import pytest
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from igny8_core.common.state_only import StateOnly


@pytest.mark.django_db
def test_django_would_send_the_database_nothing() -> None:
    loader = MigrationLoader(None)
    found = {key: each for key, each in loader.disk_migrations.items() if isinstance(each, StateOnly)}

    sent = {}
    for key, migration in found.items():
        state = loader.project_state(key, at_end=False)
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            Migration.apply(migration, state, editor, collect_sql=True)
        sent[key] = [line for line in editor.collected_sql if not line.startswith("--")]

    assert ("billing", "0023_words_for_people") in sent
    assert not any(sent.values()), sent
