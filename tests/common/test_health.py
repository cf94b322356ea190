"""Load balancers hear the truth in two seconds, whatever is silent, and nothing about the inside (FLT-10)."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.urls import path

from igny8_core.common import health
from igny8_core.common.health import healthz, readyz

pytestmark = pytest.mark.urls(__name__)

urlpatterns = [path("healthz/", healthz), path("readyz/", readyz)]


def fine() -> str:
    return "ok"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], str]]:
    """The checks, to be replaced; nothing is known from the tests before."""
    database = dict.fromkeys(health.DATABASE_CHECKS, fine)
    broker = dict.fromkeys(health.BROKER_CHECKS, fine)
    monkeypatch.setattr(health, "DATABASE_CHECKS", database)
    monkeypatch.setattr(health, "BROKER_CHECKS", broker)
    monkeypatch.setattr(health, "_watches", health._Watches())

    class Both(dict[str, Callable[[], str]]):
        def __setitem__(self, name: str, check: Callable[[], str]) -> None:
            (database if name in database else broker)[name] = check

    return Both()


def ready() -> tuple[int, Any]:
    answer = Client().get("/readyz/")
    return answer.status_code, answer.json()


def test_a_living_process_is_healthy_without_asking_the_database() -> None:
    answer = Client().get("/healthz/")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.usefixtures("checks")
def test_with_everything_there_it_is_ready() -> None:
    parts = {"database": "ok", "migrations": "ok", "lock_timeout": "ok", "broker": "ok"}

    assert ready() == (200, {"status": "ok", "parts": parts})


def test_a_flood_of_questions_asks_once(checks: dict[str, Callable[[], str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "READINESS_KEPT_SECONDS", 600)
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 60)
    asked: list[int] = []

    def database() -> str:
        asked.append(1)
        time.sleep(0.1)
        return "ok"

    checks["database"] = database
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ready()[0], range(64)))

    assert answers == [200] * 64
    assert len(asked) == 1


def test_what_broke_is_known_as_soon_as_the_last_answer_is_too_old(
    checks: dict[str, Callable[[], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = SimpleNamespace(now=time.monotonic())
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: watch.now))
    assert ready()[0] == 200
    checks["lock_timeout"] = lambda: "none"
    assert ready()[0] == 200

    watch.now += health.READINESS_KEPT_SECONDS

    assert ready()[0] == 503
    assert health.READINESS_KEPT_SECONDS <= 1


@pytest.mark.parametrize(("frozen", "status"), [("database", 503), ("broker", 200)])
def test_what_is_frozen_is_told_within_two_seconds_and_holds_one_thread(
    frozen: str, status: int, checks: dict[str, Callable[[], str]]
) -> None:
    thaw, waits = threading.Event(), []

    def silent() -> str:
        waits.append(1)
        thaw.wait(300)
        return "ok"

    def probe(_: int) -> tuple[float, int, str]:
        started = time.monotonic()
        code, body = ready()
        return time.monotonic() - started, code, body["parts"][frozen]

    checks[frozen] = silent
    with ThreadPoolExecutor(20) as pool:
        first = list(pool.map(probe, range(20)))
        second = list(pool.map(probe, range(20)))

    assert {found[1:] for found in first + second} == {(status, health.SILENT)}
    # On a busy machine some of the twenty get their turn late; all of them would wait for what is waited for.
    assert min(took for took, *_ in first) < 2
    # Nobody waits for it a second time.
    assert min(took for took, *_ in second) < health.PATIENCE_SECONDS / 2
    assert len(waits) == 1

    thaw.set()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and ready()[1]["parts"][frozen] != "ok":
        time.sleep(0.02)
    assert ready()[0] == 200


def test_without_a_broker_it_is_ready_and_says_so(checks: dict[str, Callable[[], str]], settings: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        checks["broker"] = health._broker
        status, body = ready()

    assert (status, body["status"]) == (200, "ok")
    assert body["parts"]["broker"] == "not reachable"


# --- The checks themselves ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_missing_migration_is_named() -> None:
    assert health._migrations() == "ok"
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("common")
    MigrationRecorder(connection).record_unapplied(*newest)

    assert health._migrations() == "1 not applied: run manage.py migrate"


@pytest.mark.django_db
def test_a_database_without_lock_timeout_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
    assert health._lock_timeout() == "ok"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")

    assert "lock_timeout" in health._lock_timeout()


@pytest.mark.django_db
def test_the_database_gives_new_connections_their_timeouts() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
            "WHERE d.datname = current_database()"
        )
        configured = {row[0] for row in cursor.fetchall()}

    assert {"lock_timeout=3s", "idle_in_transaction_session_timeout=10s"} <= configured


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_health_is_only_read(method: str) -> None:
    assert getattr(Client(), method)("/readyz/").status_code == 405
