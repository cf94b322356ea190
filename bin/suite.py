"""bin/test: runs the test suite on an embedded PostgreSQL, or on the one in DATABASE_URL."""

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

# A worker collects tests for seconds, so workers pay for whole folders. Two more than there are cores, because each
# waits for the database or a browser much of its time. With more than eight, all wait for the database.
ON_ALL_CORES = (f"--numprocesses={min(8, (os.cpu_count() or 1) + 2)}", "--dist=worksteal")
# With these options few tests run, somebody watches them, or the number of processes is given.
ONE_PROCESS = ("-k", "--lf", "--last-failed", "--sw", "--stepwise", "-s", "--pdb", "--trace", "-n", "--numprocesses")
# .ci/run runs them; here: bin/test -m stress, or everything: bin/test -m ""
WITHOUT_STRESS = ("-m", "not stress")
INTERRUPTED = 130  # what a shell reports for Ctrl-C
PATIENCE = 30  # seconds for pytest to close its databases


def main(arguments: list[str]) -> int:
    """Run pytest with the arguments. Returns its exit code, which is not 0 if no test ran."""
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
    """pytest's options about processes: all cores for whole folders, one process for a file or a few names."""
    asked_otherwise = any(argument.startswith(ONE_PROCESS) for argument in arguments)
    has_file = any(".py" in argument for argument in arguments)
    return () if asked_otherwise or has_file else ON_ALL_CORES


def chosen(arguments: list[str]) -> tuple[str, ...]:
    """pytest's options about marks: for whole folders, tests marked "stress" are left out."""
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
    # Tests may compute for a long time inside a transaction. The migrations set this limit for everybody else.
    settings = {**FAST, "idle_in_transaction_session_timeout": "0"}
    postgres = EmbeddedPostgres("test-postgres", command="bin/test", settings=settings)
    on_exit.callback(postgres.stop)
    url = postgres.start()
    progress.say("Tests run on an embedded PostgreSQL of their own.")
    return url


def _pytest(arguments: list[str], url: str) -> int:
    child = {**os.environ, **system_libraries.dynamic_loader_environment(), "DATABASE_URL": url, "IGNY8_VAR": str(VAR)}
    # With caches, because without them each worker would rewrite and compile all tests again, which takes long.
    child.pop("PYTHONDONTWRITEBYTECODE", None)
    # Without DJANGO_DEBUG the settings are for production and need its secrets.
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
