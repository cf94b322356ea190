"""Load balancers hear the truth, and nothing about the inside."""

import socket
from types import SimpleNamespace

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


@pytest.fixture
def lock_timeout(db):
    """As every new connection to a migrated database has it; the test's own one is older than the migration."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")


@pytest.fixture(autouse=True)
def readiness(monkeypatch):
    """Nothing is known from the tests before."""
    fresh = health._Latest()
    monkeypatch.setattr(health, "_latest", fresh)
    return fresh


def ready():
    answer = Client().get("/readyz/")
    return answer.status_code, answer.json()


def test_a_living_process_is_healthy_without_asking_the_database():
    answer = Client().get("/healthz/")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.usefixtures("lock_timeout")
def test_with_everything_there_it_is_ready():
    status, body = ready()

    assert status == 200
    assert body == {
        "status": "ok",
        "parts": {"database": "ok", "migrations": "ok", "lock_timeout": "ok", "broker": "ok"},
    }


@pytest.mark.usefixtures("lock_timeout")
def test_a_flood_of_questions_asks_the_database_once(statements):
    answers = [ready() for _ in range(8)]

    assert answers == [answers[0]] * 8
    assert answers[0][0] == 200
    assert sum("SHOW lock_timeout" in sql for sql in statements) == 1


def test_what_broke_is_known_as_soon_as_the_last_answer_is_too_old(lock_timeout, readiness, monkeypatch):
    assert ready()[0] == 200
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")
    assert ready()[0] == 200

    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: readiness.good_until))

    assert ready()[0] == 503
    assert health.READINESS_KEPT_SECONDS <= 1


@pytest.mark.usefixtures("lock_timeout")
def test_a_missing_migration_is_not_ready():
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("common")
    MigrationRecorder(connection).record_unapplied(*newest)

    status, body = ready()

    assert status == 503
    assert body["parts"]["migrations"] == "1 not applied: run manage.py migrate"


@pytest.mark.usefixtures("lock_timeout")
def test_a_database_without_lock_timeout_is_not_ready():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")

    status, body = ready()

    assert status == 503
    assert "lock_timeout" in body["parts"]["lock_timeout"]


@pytest.mark.usefixtures("lock_timeout")
def test_a_silent_redis_is_not_ready(settings):
    from celery import current_app

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        settings.CELERY_BROKER_URL = url
        before, current_app.conf.broker_url = current_app.conf.broker_url, url
        try:
            status, body = ready()
        finally:
            current_app.conf.broker_url = before

    assert status == 503
    assert body["parts"]["broker"] == "not reachable"


@pytest.mark.django_db
def test_the_database_gives_new_connections_their_timeouts():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
            "WHERE d.datname = current_database()"
        )
        configured = {row[0] for row in cursor.fetchall()}

    assert {"lock_timeout=3s", "idle_in_transaction_session_timeout=10s"} <= configured


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_health_is_only_read(method):
    assert getattr(Client(), method)("/readyz/").status_code == 405
