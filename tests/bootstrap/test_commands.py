"""What the launcher shows, writes down for other commands, and refuses."""

import http.client
import os
import stat
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import stand_ins
from development_server import SHARED_VARIABLES, _check_port, _port
from outside_database import check_connection, without_password
from paths import ROOT, write_private
from processes import Service
from progress import Stop
from suite import ON_ALL_CORES, WITHOUT_STRESS, chosen, workers

import manage
from igny8_core.settings import gateways


def test_a_password_is_never_shown() -> None:
    assert without_password("postgresql://u:s3cret@db.example.org:5432/x") == "postgresql://u@db.example.org:5432/x"
    assert without_password("postgresql://db/x?password=s3cret&user=u") == "postgresql://db/x"
    assert without_password("postgresql://u@/x") == "postgresql://u@/x"


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(Stop) as refusal:
        check_connection("postgresql://u:s3cret@127.0.0.1:1/x")

    assert "Cannot connect to DATABASE_URL=postgresql://u@127.0.0.1:1/x" in str(refusal.value)
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


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["tests/billing"],
        ["tests/api", "tests/auth"],
        ["-m", "not stress"],
        ["-x", "-q"],
        ["-p", "no:randomly", "tests"],
    ],
)
def test_whole_folders_are_tested_on_all_cores(arguments: list[str]) -> None:
    assert workers(arguments) == ON_ALL_CORES


@pytest.mark.parametrize(
    "arguments",
    [
        ["tests/billing/test_refunds.py"],
        ["tests/billing/test_refunds.py::test_one", "-x"],
        ["-k", "approve"],
        ["-kapprove", "tests/billing"],
        ["--lf"],
        ["--pdb"],
        ["-s", "tests/billing"],
        ["-n", "4"],
        ["-n0", "tests/billing"],
    ],
)
def test_a_few_tests_and_what_was_asked_for_run_in_the_processes_that_were_asked_for(arguments: list[str]) -> None:
    assert workers(arguments) == ()


@pytest.mark.parametrize("arguments", [[], ["tests/billing"], ["-x", "-n", "4"], ["--on-this-server"]])
def test_whole_folders_leave_out_what_repeats_a_promise_hundreds_of_times(arguments: list[str]) -> None:
    assert chosen(arguments) == WITHOUT_STRESS


@pytest.mark.parametrize("arguments", [["-m", ""], ["-m", "stress"], ["-k", "thousand"], ["tests/web/test_x.py"]])
def test_what_was_asked_for_runs_whatever_its_mark(arguments: list[str]) -> None:
    assert chosen(arguments) == ()


# --- bin/run --with-fake-gateways ---------------------------------------------------------------------------------


def test_keys_of_stand_ins_are_taken_by_the_settings_and_by_a_second_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_of_somebody")
    variables = stand_ins.settings_for_them()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    stripe, paypal = gateways.read("stripe", debug=True), gateways.read("paypal", debug=True)

    assert stripe
    assert paypal
    assert stripe.is_fake
    assert paypal.is_fake
    assert not stripe.live
    assert stripe.webhook_secrets
    assert paypal.webhook_id
    assert set(variables) == set(stand_ins.VARIABLES)
    assert set(stand_ins.VARIABLES) <= set(SHARED_VARIABLES)


def test_each_run_has_keys_and_ports_of_its_own() -> None:
    first, second = stand_ins.settings_for_them(), stand_ins.settings_for_them()

    assert first["STRIPE_API_BASE"] != first["PAYPAL_API_BASE"]
    for secret in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "PAYPAL_CLIENT_SECRET"):
        assert first[secret] != second[secret]


def test_the_greeting_says_where_the_stand_ins_are_and_nothing_secret() -> None:
    variables = stand_ins.settings_for_them()

    greeting = "\n".join(stand_ins.greeting(variables))

    assert variables["STRIPE_API_BASE"] in greeting
    assert variables["PAYPAL_API_BASE"] in greeting
    assert variables["STRIPE_SECRET_KEY"] not in greeting
    assert variables["PAYPAL_CLIENT_SECRET"] not in greeting


def test_both_stand_ins_answer_once_started_and_stop_when_told(var: Path) -> None:
    variables = stand_ins.settings_for_them()
    service = Service("stand-ins for gateways", var / "log" / "gateways.log", patience=60)

    service.start(stand_ins.command(variables, "http://127.0.0.1:1"), env={**os.environ, **variables}, cwd=ROOT)
    statuses = [status_of(f"{variables[name]}{path}", service) for name, path in PAGES_OF_STAND_INS]
    process = service.process
    service.stop()

    assert statuses == [404, 404]
    assert process
    assert process.poll() is not None


# Their pages, for a payment that is not known.
PAGES_OF_STAND_INS = (
    ("STRIPE_API_BASE", "/fake/stripe/pay?client_secret=x"),
    ("PAYPAL_API_BASE", "/checkoutnow?token=x"),
)


def status_of(address: str, service: Service) -> int:
    """The status of an answer, waiting for the server to come up."""
    parts = urlsplit(address)
    deadline = time.monotonic() + 120
    while True:
        service.fail_if_ended()
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            return connection.getresponse().status
        except OSError:
            assert time.monotonic() < deadline, "the stand-ins do not answer"
            time.sleep(0.05)
        finally:
            connection.close()
