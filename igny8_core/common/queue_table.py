"""Celery's queue in PostgreSQL, which is there when no Redis is: its table keeps every message that was handed out."""

from typing import Any

from django.conf import settings
from django.db import connection, transaction
from kombu import Connection
from kombu.transport.sqlalchemy import Channel

from igny8_core.common.db import lock_text

# A deletion of so many is quick enough that nobody waits for its locks.
BATCH = 5000
# What was handed out is never looked at again: a worker that dies puts nothing back, and the next tick finds the work.
FORGET = "DELETE FROM kombu_message WHERE id IN (SELECT id FROM kombu_message WHERE NOT visible LIMIT %s)"


def create_tables() -> None:
    """Create the tables of the queue, one process after the other; nothing where the queue is elsewhere.

    A worker and its schedule that are both new would create them at once, and PostgreSQL refuses one of the two.
    """
    url = settings.CELERY_BROKER_URL
    if not url.startswith("sqla+"):
        return
    with transaction.atomic():
        lock_text("queue", "tables")
        with Connection(url) as broker:
            # To open a session is to create what is missing.
            channel: Any = broker.channel()
            channel.session.close()
    # Whoever is forked later must not have these connections.
    for engine, _ in Channel._engines.values():
        engine.dispose()
    Channel._engines.clear()
    connection.close()


def forget_taken_messages() -> int:
    """Delete the messages that workers have taken, each batch in a transaction of its own. Returns how many.

    With the queue elsewhere there is no such table, and the answer is 0.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('kombu_message') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return 0
    deleted = last = _forget_batch()
    while last == BATCH:
        last = _forget_batch()
        deleted += last
    return deleted


def _forget_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [BATCH])
        count: int = cursor.rowcount
    return count
