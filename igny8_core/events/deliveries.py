"""Delivers each event to each of its consumers, until that succeeds or is given up."""

import logging
from datetime import timedelta

from igny8_core.common import clock
from igny8_core.common.states import transition
from igny8_core.common.work_queue import WorkQueue
from igny8_core.events import consumers
from igny8_core.events.models import DELIVERY_TRANSITIONS, Delivery, DeliveryStatus

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
BACK_OFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440)]


def deliver_due(limit: int = 500) -> int:
    """Try at most `limit` deliveries that are due, oldest first. Returns how many were tried."""
    return QUEUE.run(limit)


def retry(delivery: Delivery) -> None:
    """Put a delivery that was given up back into the queue. Raises TransitionNotAllowed for any other."""
    transition(delivery, DeliveryStatus.WAITING, DELIVERY_TRANSITIONS, attempts=0, next_attempt_at=clock.now())


def _deliver(delivery: Delivery) -> dict[str, str]:
    consumers.get(delivery.consumer).handle(delivery.event)
    return {"status": DeliveryStatus.DONE}


def _give_up(delivery: Delivery, error: str) -> None:
    if QUEUE.close(delivery, error, status=DeliveryStatus.DEAD):
        logger.error("delivery given up", extra={"row": delivery.pk, "consumer": delivery.consumer})


QUEUE = WorkQueue(
    name="delivery",
    rows=Delivery.objects.select_related("event__account", "event__actor"),
    lease=LEASE,
    work=_deliver,
    pauses=lambda _: BACK_OFF,
    give_up=_give_up,
    state=("status", DeliveryStatus.WAITING),
)
