"""Health checks for load balancers: is the process alive, and can it serve requests?"""

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
# The checks run at most once in this time per process, however often they are asked for.
READINESS_KEPT_SECONDS = 1.0


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Liveness: 200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Readiness: 200 if database, migrations, lock timeout and broker are in order, else 503. The body lists them."""
    parts = _latest.parts()
    is_ready = all(state == "ok" for state in parts.values())
    status, code = ("ok", 200) if is_ready else ("unavailable", 503)
    return JsonResponse({"status": status, "parts": parts}, status=code)


@dataclass
class _Latest:
    """The last results of the checks. Requests that come while the checks run wait for their results."""

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
    # Set by common/migrations/0001. Without it, one stuck transaction blocks every request that needs its rows.
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (value,) = cursor.fetchone()
    return "the database has no lock_timeout: run ALTER DATABASE … SET lock_timeout = '3s'" if value == "0" else "ok"


def _broker() -> str:
    # Without Redis the queue is in the database, which has its own check.
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
