"""Migrations that say they change nothing in the database do not, by Django's own account of their operations."""

import pytest
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from igny8_core.common.state_only import StateOnly


@pytest.mark.django_db
def test_django_would_send_the_database_nothing() -> None:
    loader = MigrationLoader(None)
    found = {key: each for key, each in loader.disk_migrations.items() if isinstance(each, StateOnly)}

    sent = {key: sql_of(each, loader.project_state(key, at_end=False)) for key, each in found.items()}

    assert ("billing", "0023_words_for_people") in sent
    assert not any(sent.values()), sent


def sql_of(migration: Migration, before: ProjectState) -> list[str]:
    """What each operation would send, between the models before all of them and after all of them.

    Between two operations Django would build the classes of a model and its neighbours anew, which takes seconds.
    """
    changed = [(type(each), each.__dict__.get("model_name"), each.__dict__["name"]) for each in migration.operations]
    assert len(set(changed)) == len(changed), "what is changed twice can be as before in the end"
    after = migration.mutate_state(before)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for operation in migration.operations:
            operation.database_forwards(migration.app_label, editor, before, after)
    return [line for line in editor.collected_sql if not line.startswith("--")]
