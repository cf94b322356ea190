"""The scheduled tasks of events. The schedule is in igny8_core/celery.py."""

from celery import shared_task

from igny8_core.events import deliveries


@shared_task(name="events.deliver_due", ignore_result=True)
def deliver_due() -> int:
    """Deliver the events that are due, mails excepted."""
    return deliveries.deliver_others()


@shared_task(name="events.send_mails", ignore_result=True)
def send_mails() -> int:
    """Send the mails that are due."""
    return deliveries.send_mails()
