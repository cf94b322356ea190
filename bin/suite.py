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

# Each worker needs seconds to collect the tests, so several workers are faster only for whole folders. There is one
# more than cores, because a worker often waits for the database or a browser. More than eight would all wait for the
# database.
ON_ALL_CORES = (f"--numprocesses={min(8, (os.cpu_count() or 1) + 1)}", "--dist=worksteal")
# With these options only a few tests run, somebody watches the output, or the caller sets the number of processes.
ONE_PROCESS = ("-k", "--lf", "--last-failed", "--sw", "--stepwise", "-s", "--pdb", "--trace", "-n", "--numprocesses")
# .ci/run also runs the stress tests. Here: bin/test -m stress, or bin/test -m "" for everything.
WITHOUT_STRESS = ("-m", "not stress")
INTERRUPTED = 130  # the exit code that shells use for Ctrl-C
PATIENCE = 30  # seconds; how long pytest may take to close its databases


def main(arguments: list[str]) -> int:
    """Run pytest with the arguments. Returns the exit code of pytest. It is not 0 if no test ran."""
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
    """The options that set the number of processes: many for whole folders, one for a file or a few tests."""
    asked_otherwise = any(argument.startswith(ONE_PROCESS) for argument in arguments)
    has_file = any(".py" in argument for argument in arguments)
    return () if asked_otherwise or has_file else ON_ALL_CORES


def chosen(arguments: list[str]) -> tuple[str, ...]:
    """The options that choose tests by marks. For whole folders, tests marked "stress" are left out."""
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
    # Tests may compute for a long time inside a transaction, so they have no limit. Migrations set the limit elsewhere.
    settings = {**FAST, "idle_in_transaction_session_timeout": "0"}
    postgres = EmbeddedPostgres("test-postgres", command="bin/test", settings=settings)
    on_exit.callback(postgres.stop)
    url = postgres.start()
    progress.say("Tests run on their own embedded PostgreSQL.")
    return url


def _pytest(arguments: list[str], url: str) -> int:
    child = {**os.environ, **system_libraries.dynamic_loader_environment(), "DATABASE_URL": url, "IGNY8_VAR": str(VAR)}
    # Python may write its caches. Without them each worker would compile all tests again, which takes long.
    child.pop("PYTHONDONTWRITEBYTECODE", None)
    # Without DJANGO_DEBUG the settings are those of production and need its secrets.
    child.setdefault("DJANGO_DEBUG", "1")
    process = subprocess.Popen([str(VENV_PYTHON), "-m", "pytest", *arguments], cwd=ROOT, env=child)
    try:
        return process.wait()
    except progress.Interrupted as interrupted:
        progress.ignore_signals()
        if interrupted.number != signal.SIGINT:  # the terminal sends Ctrl-C to pytest too
            process.send_signal(signal.SIGINT)
        try:
            return process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
