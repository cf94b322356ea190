"""What the launcher shows, writes down for other commands, and refuses."""

import os
import stat
from pathlib import Path

import pytest
from development_server import _check_port, _port
from outside_database import check_connection, without_password
from paths import write_private
from progress import Stop

import manage


def test_a_password_is_never_shown() -> None:
    assert without_password("postgresql://u:s3cret@db.example.org:5432/x") == "postgresql://u@db.example.org:5432/x"
    assert without_password("postgresql://db/x?password=s3cret&user=u") == "postgresql://db/x"
    assert without_password("postgresql://u@/x") == "postgresql://u@/x"


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(Stop) as refusal:
        check_connection("postgresql://u:s3cret@127.0.0.1:1/x")

    assert "postgresql://u@127.0.0.1:1/x does not work" in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


def test_secrets_are_written_for_this_user_only(tmp_path: Path) -> None:
    file = tmp_path / "var" / "secret_key"
    write_private(file, "first")
    write_private(file, "second")

    assert file.read_text() == "second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80 11"])
def test_a_port_that_is_none_is_refused_with_an_example(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)

    with pytest.raises(Stop, match="PORT=8020 bin/run"):
        _port()


def test_a_taken_port_is_found_before_anything_starts() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Stop, match=f"Port {port} is taken by another program"):
            _check_port(port)

    _check_port(port)


def test_manage_py_takes_the_running_servers_settings_but_never_overrides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "development.env").write_text("IGNY8_TEST_ONE=from=file\nIGNY8_TEST_TWO=from file\n")
    monkeypatch.setenv("IGNY8_VAR", str(tmp_path))
    monkeypatch.setenv("IGNY8_TEST_TWO", "from shell")
    monkeypatch.setenv("IGNY8_TEST_ONE", "")
    monkeypatch.delenv("IGNY8_TEST_ONE")
    monkeypatch.setenv("DATABASE_URL", "postgresql://production")

    manage.share_settings_with_running_server()
    assert "IGNY8_TEST_ONE" not in os.environ

    monkeypatch.delenv("DATABASE_URL")
    manage.share_settings_with_running_server()
    assert os.environ["IGNY8_TEST_ONE"] == "from=file"
    assert os.environ["IGNY8_TEST_TWO"] == "from shell"
