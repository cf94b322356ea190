"""Delivers each event to each of its consumers, until that succeeds or is given up (FLT-11).

Mails have a queue of their own: a mail server that does not answer keeps nothing else waiting (lanes.py).
"""

import logging
from dataclasses import replace
from datetime import timedelta

from django.db.models import Model
from django.utils.translation import gettext as _

from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.mail import MailServerDown
from igny8_core.common.states import transition
from igny8_core.common.work_queue import PutBack, WorkQueue
from igny8_core.events import consumers, lanes, services
from igny8_core.events.models import DELIVERY_TRANSITIONS, Delivery, DeliveryStatus

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
BACK_OFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440)]
# No mail waits longer because the mail server did not answer.
LONGEST_FOR_THE_SERVER = timedelta(minutes=15)
LONGEST_REASON = 500


def deliver_due(limit: int = 500) -> int:
    """Try at most `limit` deliveries of each kind that are due, oldest first. Returns how many were tried."""
    return deliver_others(limit) + send_mails(limit)


def deliver_others(limit: int = 500) -> int:
    """Try at most `limit` deliveries that are due and no mails. Returns how many were tried."""
    return QUEUE.run(limit)


def send_mails(limit: int = 500) -> int:
    """Send at most `limit` mails that are due. Returns how many were tried.

    0 while another worker sends mails, and while the mail server is left alone because it did not answer. Raises
    RuntimeError inside a transaction.
    """
    hold = lanes.take(lanes.MAIL)
    if hold is None:
        return 0
    try:
        return _send(hold, limit)
    finally:
        hold.release()


def send_now() -> int:
    """Make all deliveries due that wait for their next try, and try the mail server at once. Returns how many wait.

    What was given up stays so; `retry` puts it back.
    """
    waiting = Delivery.objects.filter(status=DeliveryStatus.WAITING)
    count = waiting.update(next_attempt_at=clock.now(), attempts=0)
    lanes.end_rest(lanes.MAIL)
    return count


def retry(delivery: Delivery) -> None:
    """Put a delivery that was given up back into the queue. Raises TransitionNotAllowed for any other."""
    transition(delivery, DeliveryStatus.WAITING, DELIVERY_TRANSITIONS, attempts=0, next_attempt_at=clock.now())


@service_transaction
def drop(delivery: Delivery, reason: str, by: Model) -> None:
    """Let go of a delivery that was given up, for good; the reason is kept with it and in the log.

    Raises InvalidInput if `reason` is empty, TransitionNotAllowed for a delivery that was not given up.
    """
    why = reason.strip()
    if not why:
        raise InvalidInput(errors={"reason": [_("Write down why nobody needs it any more; the log keeps it.")]})
    transition(delivery, DeliveryStatus.DROPPED, DELIVERY_TRANSITIONS, drop_reason=why[:LONGEST_REASON])
    data = {"reason": why[:LONGEST_REASON], "consumer": delivery.consumer, "event": delivery.event_id}
    services.record(services.NewEvent("delivery.dropped", delivery, None, by.pk, data))


def _send(hold: lanes.Hold, limit: int) -> int:
    tried = 0
    while tried < limit and not hold.is_resting and hold.keep():
        row = MAILS.take()
        if row is None:
            break
        tried += 1
        _mails_through(hold).attempt(row)
    return tried


def _mails_through(hold: lanes.Hold) -> WorkQueue[Delivery]:
    def send(delivery: Delivery) -> dict[str, str]:
        try:
            done = _deliver(delivery)
        except MailServerDown as problem:
            # It may be this mail that the server breaks on, so the first of several failures counts; others do not.
            is_first, until = hold.failures == 0, hold.note_failure(str(problem))
            if is_first:
                pause = BACK_OFF[min(delivery.attempts, len(BACK_OFF)) - 1]
                until = max(until, clock.now() + min(pause, LONGEST_FOR_THE_SERVER))
            raise PutBack(str(problem), until, counts=is_first) from problem
        hold.note_success()
        return done

    return replace(MAILS, work=send)


def _deliver(delivery: Delivery) -> dict[str, str]:
    consumers.get(delivery.consumer).handle(delivery.event)
    return {"status": DeliveryStatus.DONE}


def _give_up(delivery: Delivery, error: str) -> None:
    if QUEUE.close(delivery, error, status=DeliveryStatus.DEAD):
        logger.error("delivery given up", extra={"row": delivery.pk, "consumer": delivery.consumer})


def _about(delivery: Delivery) -> tuple[str, int | None]:
    return delivery.event.request_id, delivery.event.account_id


QUEUE = WorkQueue(
    name="delivery",
    rows=Delivery.objects.select_related("event__account", "event__actor"),
    lease=LEASE,
    work=_deliver,
    pauses=lambda _: BACK_OFF,
    give_up=_give_up,
    state=("status", DeliveryStatus.WAITING),
    among=("consumer", consumers.names_of_mailers, False),
    about=_about,
)
MAILS = replace(QUEUE, name="mail", among=("consumer", consumers.names_of_mailers, True))
