"""What is the same for every Celery task: its line in the log, and the note of its last run (FLT-20)."""

import logging
import time
from typing import TYPE_CHECKING, Any

from celery import Task
from django.db import DatabaseError, InterfaceError, connection

from igny8_core.common.job_log import job

if TYPE_CHECKING:
    CeleryTask = Task[Any, Any]
else:
    CeleryTask = Task

logger = logging.getLogger(__name__)


class Job(CeleryTask):
    """A task that returns how much it did, or None. One that found nothing to do is logged at DEBUG only."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task."""
        started = time.monotonic()
        with job(self.name) as told:
            has_failed = True
            try:
                result = super().__call__(*args, **kwargs)
                told.count = result if isinstance(result, int) else None
                told.is_idle, has_failed = result == 0, False
            finally:
                _note_run(self.name, time.monotonic() - started, told.count, has_failed=has_failed)
        return result


def _note_run(name: str, seconds: float, count: int | None = None, *, has_failed: bool = False) -> None:
    """Keep when the task last ended, for /metrics and the console."""
    # Imported here, because this module is loaded before Django's applications are.
    from igny8_core.events.runs import note_run

    if connection.in_atomic_block:
        return
    try:
        note_run(name, seconds, count, has_failed=has_failed)
    except (DatabaseError, InterfaceError) as error:
        # The run is over; the database will say soon enough what is wrong with it.
        logger.warning("run not noted", extra={"job": name, "reason": type(error).__name__})
