"""A database as release 6259b03 left it, and the programs that migrate it."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from tests import warm_python
from tests.database import database_url, process_environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GATEWAY_IDS_BEFORE = """
    SELECT 'payment', id, payment_method, stripe_payment_intent_id || paypal_order_id,
           stripe_charge_id || paypal_capture_id FROM igny8_payments
    UNION ALL
    SELECT 'saved method', id, type, stripe_payment_method_id || paypal_payer_id, '' FROM igny8_account_payment_methods
    ORDER BY 1, 2
"""


@contextmanager
def restored(suffix: str) -> Iterator[str]:
    """URL of a database as the dump has it, for as long as the block runs."""
    with _database(suffix, "template0 ENCODING 'UTF8'") as url:
        restore(url)
        yield url


@contextmanager
def copied(url: str, suffix: str) -> Iterator[str]:
    """URL of a copy of a database that nobody is connected to, for as long as the block runs."""
    with _database(suffix, f'"{name_of(url)}"') as copy:
        yield copy


@contextmanager
def _database(suffix: str, template: str) -> Iterator[str]:
    tests_url = urlsplit(database_url())
    url = tests_url._replace(path=f"{tests_url.path}_{suffix}").geturl()
    name = name_of(url)
    with closing(psycopg2.connect(tests_url._replace(path="/postgres").geturl())) as server:
        server.autocommit = True
        cursor = server.cursor()
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}')
        yield url
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def name_of(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


def unpacked(name: str) -> str:
    return gzip.decompress((HERE / name).read_bytes()).decode()


def restore(url: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection:
        connection.cursor().execute(unpacked("dump_6259b03.sql.gz"))


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()


def migrated(url: str) -> subprocess.CompletedProcess[str]:
    """The program that migrates a database and asks it, when it has ended."""
    return warm_python.run(HERE / "answers.py", "--migrate", environment=_environment(url), timeout=1800)


@contextmanager
def migrating() -> Iterator[Callable[..., str]]:
    """Called with a URL and perhaps a migration: migrates that database so far, and returns what stopped it."""
    command = [sys.executable, str(HERE / "migrating.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=_environment(database_url()), text=True, **pipes) as process:
        assert process.stdin
        assert process.stdout

        def migrate(url: str, *target: str) -> str:
            process.stdin.write(f"{json.dumps([name_of(url), *target])}\n")
            process.stdin.flush()
            stopped: str = json.loads(process.stdout.readline())
            return stopped

        yield migrate


def _environment(url: str) -> dict[str, str]:
    return process_environment(
        DATABASE_URL=url,
        DJANGO_SETTINGS_MODULE="igny8_core.settings",
        LOG_LEVEL="CRITICAL",
        PYTHONPATH=os.pathsep.join([str(ROOT), str(HERE)]),
    )
