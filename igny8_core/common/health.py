"""Health checks for load balancers: is the process alive, and can it serve requests? (FLT-10)

Each answers within two seconds, whatever does not answer us: checks run in threads of their own, one for each part, and
a probe waits for them only so long. A part that is silent holds its one thread, and no probe waits for it again.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from celery import current_app
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError
from redis import Redis, RedisError

BROKER_TIMEOUT_SECONDS = 1
# The checks run at most once in this time per process, however often they are asked for.
READINESS_KEPT_SECONDS = 1.0
# How long a probe waits for a check that is running, counted from the beginning of the check.
PATIENCE_SECONDS = 1.2
SILENT = "no answer"


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Liveness: 200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Readiness: 200 if database, migrations and lock timeout are in order, else 503. The body lists all parts.

    The broker is listed, too, and decides nothing: without it all requests are served, and work waits in the database.
    """
    states = _watches.states()
    is_ready = all(states[name] == "ok" for name in DATABASE_CHECKS)
    status, code = ("ok", 200) if is_ready else ("unavailable", 503)
    return JsonResponse({"status": status, "parts": states}, status=code)


@dataclass
class _Watch:
    """The checks of one part, in their order, run in a thread of their own when somebody asks and they are too old."""

    checks: dict[str, Callable[[], str]]
    known: dict[str, str] = field(default_factory=dict)
    good_until: float = 0.0
    began_at: float = 0.0
    is_running: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)
    wanted: threading.Event = field(default_factory=threading.Event)
    # Threads do not survive a fork, so each process begins its own.
    thread_of: int = 0

    def ask(self) -> None:
        """Begin the checks if what is known is too old and they are not running."""
        with self.changed:
            if self.is_running or time.monotonic() < self.good_until:
                return
            self.is_running, self.began_at = True, time.monotonic()
            if self.thread_of != os.getpid():
                self.thread_of = os.getpid()
                threading.Thread(target=self._work, name="health", daemon=True).start()
            self.wanted.set()

    def states(self) -> dict[str, str]:
        """What is known, at the latest when PATIENCE_SECONDS are over since the checks began."""
        with self.changed:
            left = self.began_at + PATIENCE_SECONDS - time.monotonic()
            if self.is_running and not self.changed.wait_for(lambda: not self.is_running, max(left, 0)):
                return dict.fromkeys(self.checks, SILENT)
            return self.known

    def _work(self) -> None:
        while True:
            self.wanted.wait()
            self.wanted.clear()
            states = {name: _state_of(check) for name, check in self.checks.items()}
            with self.changed:
                self.known, self.good_until = states, time.monotonic() + READINESS_KEPT_SECONDS
                self.is_running = False
                self.changed.notify_all()


class _Watches:
    """All parts. Those that do not answer are silent at the same time, so that two of them cost no more than one."""

    def __init__(self) -> None:
        self.all = [_Watch(DATABASE_CHECKS), _Watch(BROKER_CHECKS)]

    def states(self) -> dict[str, str]:
        """The state of each part by its name."""
        for watch in self.all:
            watch.ask()
        return {name: state for watch in self.all for name, state in watch.states().items()}


def _state_of(check: Callable[[], str]) -> str:
    try:
        return check()
    except (Error, BrokerError, RedisError, OSError):
        # A connection that broke would be broken at the next check, too.
        connection.close()
        return "not reachable"


def _database() -> str:
    # The thread outlives many requests, and nobody else looks after its connection.
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied: run manage.py migrate" if missing else "ok"


def _lock_timeout() -> str:
    # Set by common/migrations/0001. Without it, one stuck transaction blocks every request that needs its rows.
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (value,) = cursor.fetchone()
    return "the database has no lock_timeout: run ALTER DATABASE … SET lock_timeout = '3s'" if value == "0" else "ok"


def _broker() -> str:
    # Without Redis the queue is in the database, which has its own check.
    url = str(settings.CELERY_BROKER_URL)
    if url.startswith(("redis://", "rediss://")):
        Redis.from_url(url, socket_timeout=BROKER_TIMEOUT_SECONDS, socket_connect_timeout=BROKER_TIMEOUT_SECONDS).ping()
    elif not url.startswith("sqla+"):
        with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_SECONDS)
    return "ok"


DATABASE_CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "lock_timeout": _lock_timeout,
}
BROKER_CHECKS: dict[str, Callable[[], str]] = {"broker": _broker}
_watches = _Watches()
