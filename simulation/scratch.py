"""The scratch database: made on the server of DATABASE_URL under a name of its own, and dropped at the end."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from psycopg2 import Error


class NoScratchDatabase(Exception):
    """The server did not make the database. The message says why and what to do."""


@contextmanager
def scratch_database(*, keep: bool = False) -> Iterator[str]:
    """Make, migrate and fill a new database, and let this process work on it; yields its name.

    The configured database is not touched. `keep`: do not drop the new one at the end.
    Raises NoScratchDatabase if the role may not make databases, or the server cannot be reached.
    """
    configured = connection.settings_dict["NAME"]
    name = f"simulation_{secrets.token_hex(4)}"
    connections.close_all()
    _on_server(f'CREATE DATABASE "{name}"')
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("seed_defaults", verbosity=0)
        # Nobody needs these rows after a failure of the machine, so no commit waits for a disk.
        _on_server(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        connections.close_all()
        yield name
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = configured
        if not keep:
            _on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _on_server(statement: str) -> None:
    """Run a statement outside of all databases concerned. Raises NoScratchDatabase."""
    try:
        with connection._nodb_cursor() as cursor:
            cursor.execute(statement)
    except (DatabaseError, Error) as problem:
        user = connection.settings_dict["USER"] or "the role of DATABASE_URL"
        raise NoScratchDatabase(
            f"The scratch database could not be made or dropped: {str(problem).strip()}\nThe simulation works on a "
            f"database of its own on the server of DATABASE_URL, never on the configured one. Let {user} make "
            "databases (ALTER ROLE … CREATEDB), or set DATABASE_URL to a server where it may, as that of bin/run."
        ) from problem
