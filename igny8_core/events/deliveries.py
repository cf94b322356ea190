"""Delivering events: claim by one conditional update, call the consumer outside any transaction, note the outcome."""

import logging
from datetime import timedelta

from django.db import connection

from igny8_core.common import clock
from igny8_core.common.states import transition
from igny8_core.events import consumers
from igny8_core.events.models import DELIVERY_MOVES, Delivery, DeliveryStatus

logger = logging.getLogger(__name__)

# A claim is a lease: the next try is put this far ahead before the consumer is called, so that a worker killed in
# the middle loses nothing and two workers never deliver the same row at once.
LEASE = timedelta(minutes=2)
BACK_OFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440)]

CLAIM = """
UPDATE igny8_event_deliveries
SET attempts = attempts + 1, next_attempt_at = %s
WHERE id = (
    SELECT id FROM igny8_event_deliveries WHERE status = 'waiting' AND next_attempt_at <= %s
    ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


def deliver_due(limit: int = 500) -> int:
    """Deliver what is due, oldest first, at most `limit` rows; returns how many were tried."""
    for tried in range(limit):
        delivery_id = _claim_next()
        if delivery_id is None:
            return tried
        _deliver(Delivery.objects.select_related("event__account", "event__actor").get(pk=delivery_id))
    return limit


def retry(delivery: Delivery) -> None:
    """Put a delivery that was given up back in the queue; MoveNotAllowed when it was not given up."""
    transition(delivery, DeliveryStatus.WAITING, DELIVERY_MOVES, attempts=0, next_attempt_at=clock.now())


def _claim_next() -> int | None:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [now + LEASE, now])
        row = cursor.fetchone()
    return row[0] if row else None


def _deliver(delivery: Delivery) -> None:
    try:
        consumers.get(delivery.consumer).handle(delivery.event)
    except Exception as error:
        # The outermost wrapper of a worker: whatever a consumer raises is kept for people and tried again.
        logger.exception("delivery failed", extra={"delivery": delivery.pk, "consumer": delivery.consumer})
        _note_failure(delivery, f"{type(error).__name__}: {error}"[:500])
    else:
        Delivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.DONE, next_attempt_at=None, last_error="")


def _note_failure(delivery: Delivery, error: str) -> None:
    waiting = Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.WAITING)
    if delivery.attempts > len(BACK_OFF):
        waiting.update(status=DeliveryStatus.DEAD, next_attempt_at=None, last_error=error)
    else:
        waiting.update(next_attempt_at=clock.now() + BACK_OFF[delivery.attempts - 1], last_error=error)
