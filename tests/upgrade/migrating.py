"""Migrates one database after the other: a line of JSON asks for each, a line answers what stopped it, if anything did.

Run as a program by old_database.py, because it changes which database the application is connected to.
"""

import gc
import json
import sys

import django

# As in manage.py.
gc.set_threshold(50_000, 20, 50)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402


def migrated(database: str, *target: str) -> str:
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        call_command("migrate", *target, verbosity=0)
    except Exception as stopped:  # noqa: BLE001 (whatever it is, the test reads it)
        return f"{type(stopped).__name__}: {stopped}"
    finally:
        connection.close()
    return ""


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(migrated(*json.loads(line)))}\n")
        sys.stdout.flush()
