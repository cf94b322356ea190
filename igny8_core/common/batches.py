"""Scheduled work on many accounts: what one of them refuses stops no other."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError

from igny8_core.common.errors import DomainError

logger = logging.getLogger(__name__)


@contextmanager
def others_go_on(work: str, **facts: object) -> Iterator[None]:
    """The block is work on one account. What it refuses, or a lock that somebody holds, waits for the next run.

    `work` and `facts` are for the log.
    """
    try:
        yield
    except (DomainError, OperationalError) as refusal:
        logger.warning("%s waits", work, extra={**facts, "reason": str(refusal)})
