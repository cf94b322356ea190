"""Databases for tests, quickly: copied from one that is migrated already, and emptied where there is something in them.

Migrating takes seconds, copying tenths of one. The template stays on the server and is made anew when a migration or
the version of PostgreSQL changes. One run at a time makes it; the others wait.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from psycopg2.extensions import adapt, quote_ident

# What migrations wrote stays. In this role no trigger runs, neither those that keep money's history nor foreign keys.
EMPTY_TABLES = """
DO $$
DECLARE
    name regclass;
    filled boolean;
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    FOR name IN
        SELECT oid FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
        AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %s', name);
        END IF;
    END LOOP;
END $$
"""
# A migration gives its database limits on locks and idle transactions; PostgreSQL does not copy those.
COPY_SETTINGS = """
DO $$
DECLARE
    setting text;
BEGIN
    FOR setting IN
        SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
        WHERE datname = {template} AND setrole = 0
    LOOP
        EXECUTE format(
            'ALTER DATABASE %I SET %I TO %L',
            current_database(), split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
        );
    END LOOP;
END $$
"""
ROOT = Path(__file__).resolve().parent.parent


def migrated_template() -> str:
    """The name of the template, which exists and is up to date."""
    name = f"template_{settings.DATABASES['default']['NAME']}"
    with _server_of_one(name) as cursor:
        if _state(cursor, name) != _wanted_state(cursor):
            _make(cursor, name)
    return name


def copy_settings() -> None:
    """Give the test database the settings that the template has beside its content."""
    with connection.cursor() as cursor:
        template = adapt(connection.settings_dict["TEST"]["TEMPLATE"]).getquoted().decode()
        cursor.execute(COPY_SETTINGS.format(template=template))


def end_other_sessions() -> None:
    """Close what other threads have open in the test database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def empty_tables(test_case: TransactionTestCase) -> None:
    """Take all rows away, between two transactional tests and for nobody else.

    Django would truncate every table, full or not. The tests' role has to be a superuser.
    """
    with connection.cursor() as cursor:
        cursor.execute(EMPTY_TABLES)


@contextlib.contextmanager
def _server_of_one(name: str) -> Iterator[Any]:
    """A cursor outside of all databases concerned, for one process at a time."""
    with contextlib.closing(psycopg2.connect(_url_of("postgres"))) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
            yield cursor


def _state(cursor: Any, name: str) -> str | None:
    cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name])
    row = cursor.fetchone()
    return row[0] if row else None


def _wanted_state(cursor: Any) -> str:
    """What the template depends on, in one word: the migrations, the server, and how it is made here."""
    cursor.execute("SHOW server_version")
    digest = hashlib.sha256(cursor.fetchone()[0].encode() + Path(__file__).read_bytes())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        for file in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(f"{app.label} {file.name}".encode() + file.read_bytes())
    return digest.hexdigest()


def _make(cursor: Any, name: str) -> None:
    quoted = quote_ident(name, cursor)
    cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")
    cursor.execute(f"CREATE DATABASE {quoted}")
    migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity=0"]
    subprocess.run(
        migrate, cwd=ROOT, env={**os.environ, "DATABASE_URL": _url_of(name), "DJANGO_DEBUG": "1"}, check=True
    )
    # What a test writes is thrown away: no commit need wait for a disk.
    cursor.execute(f"ALTER DATABASE {quoted} SET synchronous_commit = off")
    # Noted last: a template that was not finished is made anew.
    cursor.execute(f"COMMENT ON DATABASE {quoted} IS %s", [_wanted_state(cursor)])


def _url_of(database: str) -> str:
    return urlsplit(settings.DATABASE_URL)._replace(path=f"/{database}").geturl()
