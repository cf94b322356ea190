"""One line in the log for each job of a worker: a task that did something, and each row that it tried."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from igny8_core.common.request_id import job_of

logger = logging.getLogger("igny8_core.job")


@dataclass
class Job:
    """What the line says of the job's end. `is_idle`: there was nothing to do, so the line is for DEBUG only."""

    outcome: str = "done"
    count: int | None = None
    is_idle: bool = False


@contextmanager
def job(name: str, request_id: str = "", **facts: Any) -> Iterator[Job]:
    """Log the block as a job, under the id of the request that caused it, or one of its own.

    An exception of the block is logged as its outcome, and goes on.
    """
    started, told = time.perf_counter(), Job()
    with job_of(request_id):
        try:
            yield told
        finally:
            if error := sys.exc_info()[0]:
                told.outcome, told.is_idle = f"failed: {error.__name__}", False
            took = round((time.perf_counter() - started) * 1000, 1)
            level = logging.DEBUG if told.is_idle else logging.INFO
            count = {} if told.count is None else {"count": told.count}
            logger.log(
                level, "job", extra={"job": name, "outcome": told.outcome, "duration_ms": took, **count, **facts}
            )
