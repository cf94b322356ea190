"""Without Redis the queue is a table of the database. What workers have taken does not stay in it for ever."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from kombu import Connection
from kombu.transport.sqlalchemy import Channel

from igny8_core.auth.tasks import forget_old_rows
from igny8_core.common import queue_table
from tests import warm_python
from tests.database import database_url, process_environment

QUEUE = "test-of-the-queue-table"
# Of the transport, which is not ours.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture
def broker() -> Iterator[Connection]:
    """The transport that Celery uses without Redis, on the database of the tests."""
    queue_table.forget_taken_messages()
    url = re.sub("^postgres(ql)?://", "sqla+postgresql+psycopg2://", database_url())
    with Connection(url) as opened:
        yield opened
    for engine, _ in Channel._engines.values():
        engine.dispose()
    Channel._engines.clear()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kombu_message")


def fill(broker: Connection, *, taken: int, waiting: int) -> None:
    with broker.SimpleQueue(QUEUE) as queue:
        for number in range(taken + waiting):
            queue.put({"number": number})
        for _ in range(taken):
            queue.get(timeout=60).ack()


def rows() -> list[tuple[bool, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT visible, count(*) FROM kombu_message JOIN kombu_queue ON kombu_queue.id = queue_id "
            "WHERE name = %s GROUP BY visible ORDER BY visible",
            [QUEUE],
        )
        return [(visible, count) for visible, count in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_what_was_taken_is_deleted_in_batches_and_what_waits_is_still_delivered(
    broker: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(broker, taken=5, waiting=2)
    assert rows() == [(False, 5), (True, 2)]
    monkeypatch.setattr(queue_table, "BATCH", 2)

    assert queue_table.forget_taken_messages() == 5

    assert rows() == [(True, 2)]
    assert queue_table.forget_taken_messages() == 0
    with broker.SimpleQueue(QUEUE) as queue:
        assert [queue.get(timeout=60).payload["number"] for _ in range(2)] == [5, 6]


@pytest.mark.stress
@pytest.mark.django_db(transaction=True)
def test_workers_and_schedules_that_are_all_new_create_the_tables_once(tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS kombu_message, kombu_queue")
        cursor.execute("DROP SEQUENCE IF EXISTS message_id_sequence, queue_id_sequence")
    script = "import django; django.setup(); from igny8_core.common.queue_table import create_tables; create_tables()"
    environment, said = process_environment(DJANGO_SETTINGS_MODULE="igny8_core.settings"), tmp_path / "said"
    starting = [warm_python.start("-c", script, environment=environment, output=said) for _ in range(4)]

    assert [each.wait(120) for each in starting] == [0, 0, 0, 0], said.read_text()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kombu_message JOIN kombu_queue ON kombu_queue.id = queue_id")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_the_hourly_task_empties_the_table(broker: Connection) -> None:
    fill(broker, taken=3, waiting=1)

    forget_old_rows()

    assert rows() == [(True, 1)]


@pytest.mark.django_db
def test_a_queue_elsewhere_has_no_table_here_and_nothing_happens() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS kombu_message, kombu_queue")

    assert queue_table.forget_taken_messages() == 0
