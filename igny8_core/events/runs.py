"""When each scheduled task last ended."""

from typing import Any

from django.db import connection

from igny8_core.common import clock
from igny8_core.events.models import TaskRun

NOTE = """
    INSERT INTO igny8_task_runs (task, ended_at, succeeded_at, has_failed, seconds, count)
    VALUES (%(task)s, %(now)s, %(succeeded)s, %(failed)s, %(seconds)s, %(count)s)
    ON CONFLICT (task) DO UPDATE SET
        ended_at = excluded.ended_at,
        succeeded_at = coalesce(excluded.succeeded_at, igny8_task_runs.succeeded_at),
        has_failed = excluded.has_failed,
        seconds = excluded.seconds,
        count = CASE WHEN excluded.has_failed THEN igny8_task_runs.count ELSE excluded.count END
"""


def note_run(task: str, seconds: float, count: int | None = None, *, has_failed: bool = False) -> None:
    """Write down that a run of a task has ended. `count`: how much it did, if it counts."""
    now = clock.now()
    values: dict[str, Any] = {
        "task": task,
        "now": now,
        "succeeded": None if has_failed else now,
        "failed": has_failed,
        "seconds": int(seconds),
        "count": count,
    }
    with connection.cursor() as cursor:
        cursor.execute(NOTE, values)


def last_runs() -> dict[str, TaskRun]:
    """The last run of each task that has ever run, by its name."""
    return {run.task: run for run in TaskRun.objects.all()}
