"""The scheduled task of events. The schedule is in igny8_core/celery.py."""

from celery import shared_task

from igny8_core.events import deliveries


@shared_task(name="events.deliver_due", ignore_result=True)
def deliver_due() -> int:
    """Deliver the events that are due."""
    return deliveries.deliver_due()
