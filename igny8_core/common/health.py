"""What load balancers ask: is the process alive, and can it serve."""

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

BROKER_TIMEOUT_SECONDS = 2
# A flood of questions makes no more work for the database than one in this time, per process.
READINESS_KEPT_SECONDS = 1.0


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when everything a request needs is there, else 503 with the parts that are not."""
    parts = _latest.parts()
    is_ready = all(state == "ok" for state in parts.values())
    status, code = ("ok", 200) if is_ready else ("unavailable", 503)
    return JsonResponse({"status": status, "parts": parts}, status=code)


@dataclass
class _Latest:
    """What the checks said last. Whoever asks while they run waits for their answer."""

    asking: threading.Lock = field(default_factory=threading.Lock)
    known: dict[str, str] = field(default_factory=dict)
    good_until: float = 0.0

    def parts(self) -> dict[str, str]:
        with self.asking:
            if time.monotonic() >= self.good_until:
                self.known = {name: _state_of(check) for name, check in CHECKS.items()}
                self.good_until = time.monotonic() + READINESS_KEPT_SECONDS
            return self.known


_latest = _Latest()


def _state_of(check: Callable[[], str]) -> str:
    try:
        return check()
    except (Error, BrokerError, OSError):
        return "not reachable"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied: run manage.py migrate" if missing else "ok"


def _lock_timeout() -> str:
    # Without it one stuck transaction holds every request that needs its row; set by common/migrations/0001.
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (value,) = cursor.fetchone()
    return "the database has no lock_timeout: ALTER DATABASE … SET lock_timeout = '3s'" if value == "0" else "ok"


def _broker() -> str:
    # Otherwise the queue lives in the database, which is checked already.
    if str(settings.CELERY_BROKER_URL).startswith(("redis://", "rediss://")):
        with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_SECONDS)
    return "ok"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "lock_timeout": _lock_timeout,
    "broker": _broker,
}
