"""Nobody waits for ever for a database that is silent, and a slow statement is ended by PostgreSQL itself."""

import time
from collections.abc import Iterator

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from psycopg2 import extensions

from fake_gateways.silent_proxy import Proxy, proxy_to
from igny8_core.common import database_patience
from igny8_core.common.database_patience import GAVE_UP, Patience, be_patient
from tests import warm_python
from tests.database import process_environment


@pytest.fixture
def proxy(db: None) -> Iterator[Proxy]:
    if not str(connection.settings_dict["HOST"]).replace(".", "").isalnum():
        pytest.skip("the database listens on a socket and not on a port")
    with proxy_to(connection.settings_dict["HOST"] or "127.0.0.1", int(connection.settings_dict["PORT"] or 5432)) as it:
        yield it


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[Patience]:
    monkeypatch.setattr(database_patience, "PATIENCE_WHILE_SILENT", 0.5)
    before, patient = extensions.get_wait_callback(), Patience(1)
    extensions.set_wait_callback(patient.wait)
    yield patient
    extensions.set_wait_callback(before)


def connect(proxy: Proxy) -> "psycopg2.extensions.connection":
    database = connection.settings_dict
    return psycopg2.connect(
        host="127.0.0.1", port=proxy.port, dbname=database["NAME"], user=database["USER"], password=database["PASSWORD"]
    )


def seconds_of_giving_up(connected: "psycopg2.extensions.connection") -> float:
    started = time.monotonic()
    with pytest.raises(psycopg2.OperationalError, match=GAVE_UP), connected.cursor() as cursor:
        cursor.execute("SELECT 1")
    return time.monotonic() - started


def test_who_waits_for_a_silent_database_gives_up(proxy: Proxy, patience: Patience) -> None:
    first, second = connect(proxy), connect(proxy)
    proxy.silent.set()

    took = seconds_of_giving_up(first)
    took_next = seconds_of_giving_up(second)

    assert 2.9 < took < 30
    # The process knows by now.
    assert took_next < took - 1
    assert first.closed
    with pytest.raises(psycopg2.OperationalError, match=GAVE_UP):
        connect(proxy)


def test_once_the_database_answers_everybody_is_patient_again(proxy: Proxy, patience: Patience) -> None:
    lost = connect(proxy)
    proxy.silent.set()
    seconds_of_giving_up(lost)
    proxy.silent.clear()

    with connect(proxy) as connected, connected.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.2)")
        assert not patience.is_silent
    connected.close()


def test_a_statement_that_is_only_slow_is_waited_for(proxy: Proxy) -> None:
    be_patient(settings.DATABASE_STATEMENT_SECONDS)
    with connect(proxy) as connected, connected.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.5), repeat('x', 1000000)")
        assert len(cursor.fetchone()[1]) == 1_000_000
    connected.close()


@pytest.mark.stress
@pytest.mark.parametrize(("given", "limit"), [("7", "7s"), ("0", "0")])
def test_postgresql_ends_a_statement_that_takes_too_long(given: str, limit: str, db: None) -> None:
    script = (
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "c = connection.cursor(); c.execute('SHOW statement_timeout'); print(c.fetchone()[0])\n"
        "print(connection.settings_dict['OPTIONS']['connect_timeout'])"
    )
    environment = process_environment(DATABASE_STATEMENT_SECONDS=given, DJANGO_SETTINGS_MODULE="igny8_core.settings")
    done = warm_python.run("-c", script, environment=environment)

    assert done.stdout.split() == [limit, "5"], done.stderr
