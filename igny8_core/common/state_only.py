"""Migrations that change what Django knows of models and nothing in the database."""

from typing import Any

from django.db import migrations
from django.db.migrations.state import ProjectState


class StateOnly(migrations.Migration):
    """Names, help texts and choices of many fields.

    Django would build the classes of a model and its neighbours anew after each field, which takes most of the time
    of setting up a database. Here they are built once, by the migration that comes next.
    """

    def apply(self, project_state: ProjectState, schema_editor: Any, collect_sql: bool = False) -> ProjectState:
        """Change the state alone. Going back is Django's own way."""
        project_state.clear_delayed_apps_cache()
        project_state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(self.app_label, project_state)
        return project_state
