"""bin/run: sets up a working site on this machine, starts it, and stops everything on Ctrl-C."""

import contextlib
import http.client
import os
import secrets
import socket
import sys
import time
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path

import environment
import progress
import stand_ins
import system_libraries
from embedded_postgres import EmbeddedPostgres
from outside_database import check_connection, without_password
from paths import LOGS, ROOT, VAR, VENV_PYTHON, shown, write_private
from processes import OnlyOne, Service

DEFAULT_PORT = "8011"
ANSWER_LIMIT = 60  # seconds; the web server must answer within this time
WATCH = 0.5  # seconds between two checks of the processes

DATABASE_URL_FILE = VAR / "database_url"
DEVELOPMENT_ENV = VAR / "development.env"
MAILS = VAR / "mails"
# Commands in a second terminal need the same variables as the running server. manage.py reads them from the file.
SHARED_VARIABLES = (
    *("DJANGO_DEBUG", "DJANGO_SECRET_KEY", "REDIS_URL", "CELERY_BROKER_URL", "EMAIL_URL", "PORT"),
    *stand_ins.VARIABLES,
)
WITH_FAKE_GATEWAYS = "--with-fake-gateways"

ADVICE = (
    "If you changed the code, the lines above show the place. For an empty database, stop bin/run and remove {var}."
)


def main(arguments: list[str]) -> int:
    """Run until somebody stops it. Returns the exit code."""
    progress.stop_on_signals()
    try:
        return _run(arguments)
    except progress.Interrupted:
        progress.say("\nStopped.")
    except progress.Stop as problem:
        progress.complain(str(problem))
        return 1
    except PermissionError as problem:
        progress.complain(f"{problem.filename} belongs to another user. Start bin/run as that user.")
        return 1
    return 0


def _run(arguments: list[str]) -> int:
    if arguments not in ([], [WITH_FAKE_GATEWAYS]):
        progress.say((sys.modules["__main__"].__doc__ or "").strip())
        return 0 if arguments[0] in ("-h", "--help") else 2
    port = _port()
    environment.prepare("requirements.txt")
    environment.enter("run", arguments)
    system_libraries.report_missing()
    lock = OnlyOne("run")
    lock.take(f"bin/run is already running in this folder ({VAR}). Use it, or stop it with Ctrl-C first.")
    with contextlib.ExitStack() as on_exit:
        try:
            _serve(port, on_exit.callback, with_fake_gateways=bool(arguments))
        finally:
            progress.ignore_signals()
    return 0


def _serve(port: int, on_exit: Callable[..., object], *, with_fake_gateways: bool) -> None:
    web = Service("web server", LOGS / "web.log", patience=10)
    worker = Service("background worker", LOGS / "worker.log", patience=10)
    gateways = Service("stand-ins for gateways", LOGS / "gateways.log", patience=2)
    for service in (web, worker, gateways):
        service.stop_leftover()
    _check_port(port)

    postgres, url = _database(on_exit)
    child = _child_environment(url, port)
    if with_fake_gateways:
        child |= stand_ins.settings_for_them()
    write_private(DATABASE_URL_FILE, f"{url}\n")
    on_exit(DATABASE_URL_FILE.unlink, missing_ok=True)
    write_private(DEVELOPMENT_ENV, "".join(f"{name}={child[name]}\n" for name in SHARED_VARIABLES if name in child))

    accounts = _prepare_database(child, with_fake_gateways=with_fake_gateways)
    if with_fake_gateways:
        with progress.step("Starting stand-ins for Stripe and PayPal"):
            on_exit(gateways.stop)
            gateways.start(stand_ins.command(child, f"http://127.0.0.1:{port}"), env=child, cwd=ROOT)
    with progress.step("Starting the web server"):
        on_exit(web.stop)
        web.start(_web_command(port), env=child, cwd=ROOT)
        _wait_for_answer(port, web)
    with progress.step("Starting the background worker"):
        on_exit(worker.stop)
        worker.start(_worker_command(), env=child, cwd=ROOT)
    services = [service for service in (postgres and postgres.service, gateways, worker, web) if service]
    _greet(port, accounts, stand_ins.greeting(child) if with_fake_gateways else [])
    while True:
        for service in services:
            service.fail_if_ended()
        time.sleep(WATCH)


def _port() -> int:
    text = os.environ.get("PORT") or DEFAULT_PORT
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise progress.Stop(f"PORT is {text!r}. Set it to a number from 1 to 65535, for example PORT=8020 bin/run")
    return int(text)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise progress.Stop(f"Port {port} is reserved for root. Choose another port: PORT=8020 bin/run") from None
        except OSError:
            raise progress.Stop(
                f"Port {port} is taken by another program. Stop it, or choose another port: PORT={port + 1} bin/run"
            ) from None


def _database(on_exit: Callable[..., object]) -> tuple[EmbeddedPostgres | None, str]:
    """The embedded PostgreSQL, or None if DATABASE_URL names a server; and the URL of a server that has answered."""
    outside = os.environ.get("DATABASE_URL")
    if outside:
        with progress.step(f"Database: {without_password(outside)} (DATABASE_URL)"):
            check_connection(outside)
        return None, outside
    postgres = EmbeddedPostgres("postgres", command="bin/run")
    on_exit(postgres.stop)
    url = postgres.start()
    return postgres, url


def _child_environment(url: str, port: int) -> dict[str, str]:
    child = {**os.environ, **system_libraries.dynamic_loader_environment()}
    child.update(DATABASE_URL=url, PORT=str(port), IGNY8_VAR=str(VAR), PYTHONUNBUFFERED="1")
    child.setdefault("DJANGO_DEBUG", "1")
    if not child.get("EMAIL_URL"):
        child["EMAIL_URL"] = f"file://{urllib.parse.quote(str(MAILS))}"
    if not child.get("DJANGO_SECRET_KEY") and child["DJANGO_DEBUG"].lower() in ("1", "true", "yes", "on"):
        child["DJANGO_SECRET_KEY"] = _secret_key()
    return child


def _secret_key() -> str:
    """The development key of this machine. It is made once, so that sessions survive a restart."""
    file = VAR / "secret_key"
    if not file.exists():
        write_private(file, f"{secrets.token_urlsafe(50)}\n")
    return file.read_text().strip()


def _prepare_database(child: Mapping[str, str], *, with_fake_gateways: bool) -> str:
    """Update tables and default data. Returns lines about the demo operator and the demo invoice, if there is one."""
    with progress.step("Updating tables, default data and the demo operator"):
        command = [VENV_PYTHON, ROOT / "bin" / "prepare_database.py"]
        extra = ["--demo-invoice"] if with_fake_gateways else []
        return progress.run_quietly([*command, *extra], advice=ADVICE.format(var=shown(VAR)), env=child, cwd=ROOT)


def _worker_command() -> list[str | Path]:
    # All queues in one process. A mail server that is silent holds one of the threads.
    schedule = VAR / "run" / "beat-schedule"
    command: list[str | Path] = [VENV_PYTHON, "-m", "celery", "-A", "igny8_core", "worker", "-P", "threads", "-c", "4"]
    return [*command, "-B", "-s", schedule, "--loglevel", "INFO"]


def _web_command(port: int) -> list[str | Path]:
    options = ["--config", "python:igny8_core.gunicorn_config", "--bind", f"127.0.0.1:{port}"]
    # A short time, because nobody wants to wait after Ctrl-C.
    return [VENV_PYTHON, "-m", "gunicorn", *options, "--graceful-timeout", "5"]


def _wait_for_answer(port: int, web: Service) -> None:
    """Wait until /healthz/ answers 200. Raises progress.Stop if the server ends or the time is over."""
    deadline = time.monotonic() + ANSWER_LIMIT
    answer = "no answer"
    while time.monotonic() < deadline:
        web.fail_if_ended()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/healthz/")
            response = connection.getresponse()
            if response.status == 200:
                return
            answer = f"status {response.status}"
        time.sleep(0.1)
    text = web.log.read_text(errors="replace")
    raise progress.Stop(
        f"The web server is not ready: /healthz/ gives {answer}. The end of {shown(web.log)}:\n{progress.tail(text)}"
    )


def _greet(port: int, accounts: str, gateways: list[str]) -> None:
    # The address that mails and gateways lead to, so that a browser stays signed in when it comes back.
    address = os.environ.get("BASE_URL") or f"http://localhost:{port}"
    broker = without_password(os.environ["REDIS_URL"]) if os.environ.get("REDIS_URL") else "the database"
    mail_server = os.environ.get("EMAIL_URL")
    mails = (
        without_password(mail_server) if mail_server else f"{shown(MAILS)}/*.log (mails are written there, not sent)"
    )
    rows = [
        ("Pages", f"{address}/"),
        ("API", f"{address}/api/docs/"),
        ("Console", f"{address}/admin/"),
        ("Queue", f"{broker}"),
        ("Mails", mails),
        ("Logs", f"{shown(LOGS)}/*.log"),
        ("Shell", "python3 manage.py shell   (in a second terminal)"),
    ]
    progress.say("\nReady.\n")
    for name, value in rows:
        progress.say(f"  {name:<8}{value}")
    progress.say()
    for line in [*accounts.strip().splitlines(), *gateways]:
        progress.say(f"  {line}".rstrip())
    progress.say("\nCtrl-C stops everything.")
