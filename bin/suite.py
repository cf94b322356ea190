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

# A worker collects for seconds, so it pays with folders only. One more than there are cores, because each waits for the
# database for a third of its time; beyond eight the database is what all wait for.
ON_ALL_CORES = (f"--numprocesses={min(8, (os.cpu_count() or 1) + 1)}", "--dist=worksteal")
# Where these are given, few tests run, a person watches them, or the number of processes was said.
ONE_PROCESS = ("-k", "--lf", "--last-failed", "--sw", "--stepwise", "-s", "--pdb", "--trace", "-n", "--numprocesses")
# .ci/run runs them; here: bin/test -m stress, or everything: bin/test -m ""
WITHOUT_STRESS = ("-m", "not stress")
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
            return _pytest([*workers(arguments), *chosen(arguments), *arguments], _database(on_exit))
    except progress.Interrupted:
        return INTERRUPTED
    except progress.Stop as problem:
        progress.complain(str(problem))
    except PermissionError as problem:
        progress.complain(f"{problem.filename} belongs to another user. Start bin/test as that user.")
    return 1


def workers(arguments: list[str]) -> tuple[str, ...]:
    """What to tell pytest about processes: all cores for whole folders, nothing for a file or a few names."""
    asked_otherwise = any(argument.startswith(ONE_PROCESS) for argument in arguments)
    has_file = any(".py" in argument for argument in arguments)
    return () if asked_otherwise or has_file else ON_ALL_CORES


def chosen(arguments: list[str]) -> tuple[str, ...]:
    """What to tell pytest about marks: of whole folders, what repeats a promise hundreds of times is left out."""
    asked_otherwise = any(argument.startswith(("-m", "-k")) or ".py" in argument for argument in arguments)
    return () if asked_otherwise else WITHOUT_STRESS


def _database(on_exit: contextlib.ExitStack) -> str:
    outside = os.environ.get("DATABASE_URL")
    if outside:
        progress.say(f"Tests run on {without_password(outside)} (DATABASE_URL).")
        check_connection(outside)
        return outside
    lock = OnlyOne("test")
    lock.take(f"bin/test is already running in this folder ({VAR}). Wait for it, or stop it first.")
    # A test that computes for long in its transaction is no forgotten one; the migrations set the limit for all others.
    settings = {**FAST, "idle_in_transaction_session_timeout": "0"}
    postgres = EmbeddedPostgres("test-postgres", command="bin/test", settings=settings)
    on_exit.callback(postgres.stop)
    url = postgres.start()
    progress.say("Tests run on an embedded PostgreSQL of their own.")
    return url


def _pytest(arguments: list[str], url: str) -> int:
    child = {**os.environ, **system_libraries.dynamic_loader_environment(), "DATABASE_URL": url, "IGNY8_VAR": str(VAR)}
    # Without its caches each worker would rewrite and compile all tests anew, which takes as long as some of them.
    child.pop("PYTHONDONTWRITEBYTECODE", None)
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
