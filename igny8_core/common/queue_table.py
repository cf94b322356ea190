"""Celery's queue in PostgreSQL, which is there when no Redis is: its table keeps every message that was handed out."""

from django.db import connection

# A deletion of so many is quick enough that nobody waits for its locks.
BATCH = 5000
# What was handed out is never looked at again: a worker that dies puts nothing back, and the next tick finds the work.
FORGET = "DELETE FROM kombu_message WHERE id IN (SELECT id FROM kombu_message WHERE NOT visible LIMIT %s)"


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
