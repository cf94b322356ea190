"""bin/test: the test suite, on a PostgreSQL of its own or on the one that DATABASE_URL names."""

import contextlib
import os
import signal
import subprocess

import environment
import progress
import system_libraries
from embedded_postgres import FAST, EmbeddedPostgres
from outside_database import check_connection, without_password
from paths import ROOT, VAR, VENV_PYTHON
from processes import OnlyOne

INTERRUPTED = 130  # what a shell reports for Ctrl-C
PATIENCE = 30  # seconds for pytest to close its databases


def main(arguments: list[str]) -> int:
    """Run pytest with the given arguments; returns its exit code, which is not 0 when no test ran."""
    progress.stop_on_signals()
    try:
        environment.prepare(*environment.FOR_TESTS)
        environment.enter("test", arguments)
        system_libraries.report_missing()
        with contextlib.ExitStack() as on_exit:
            on_exit.callback(progress.ignore_signals)
            return _pytest(arguments, _database(on_exit))
    except progress.Interrupted:
        return INTERRUPTED
    except progress.Stop as problem:
        progress.complain(str(problem))
    except PermissionError as problem:
        progress.complain(f"{problem.filename} belongs to another user. Start bin/test as that user.")
    return 1


def _database(on_exit: contextlib.ExitStack) -> str:
    outside = os.environ.get("DATABASE_URL")
    if outside:
        progress.say(f"Tests run on {without_password(outside)} (DATABASE_URL).")
        check_connection(outside)
        return outside
    lock = OnlyOne("test")
    lock.take(f"bin/test is already running in this folder ({VAR}). Wait for it, or stop it first.")
    postgres = EmbeddedPostgres("test-postgres", command="bin/test", settings=FAST)
    on_exit.callback(postgres.stop)
    url = postgres.start()
    progress.say("Tests run on an embedded PostgreSQL of their own.")
    return url


def _pytest(arguments: list[str], url: str) -> int:
    child = {**os.environ, **system_libraries.dynamic_loader_environment(), "DATABASE_URL": url, "IGNY8_VAR": str(VAR)}
    # The settings are production's unless told otherwise, and those want production's secrets.
    child.setdefault("DJANGO_DEBUG", "1")
    process = subprocess.Popen([str(VENV_PYTHON), "-m", "pytest", *arguments], cwd=ROOT, env=child)
    try:
        return process.wait()
    except progress.Interrupted as interrupted:
        progress.ignore_signals()
        if interrupted.number != signal.SIGINT:  # Ctrl-C has reached pytest as well
            process.send_signal(signal.SIGINT)
        try:
            return process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
