"""Sending a mail again that went out before: for who lost it, or never got it."""

from copy import copy
from datetime import timedelta

from django.db.models import Model

from igny8_core.common import clock
from igny8_core.common.db import lock_text, service_transaction
from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop
from igny8_core.events import consumers, services
from igny8_core.events.models import Delivery, DeliveryStatus, Event

RESENT = "mail.resent"
# A second click within so long is the same wish.
ONCE_IN = timedelta(minutes=1)


class MailJustSent(DomainError):
    code = "mail_just_sent"
    http_status = 409
    text = gettext_noop(
        "This mail was sent again a moment ago, or waits to be sent. Wait a minute before the next one."
    )


class NoMail(DomainError):
    code = "no_mail"
    http_status = 409
    text = gettext_noop("This is no mail, so it cannot be sent again.")


@service_transaction
def resend_mail(delivery: Delivery, resent_by: services.Actor) -> Event:
    """Have the mail of a delivery written and sent anew, to whom it goes to now, with what holds now.

    Its links are new ones. Nothing is sent where the mail is out of date by now, such as one about a canceled
    invitation. Raises NoMail, MailJustSent.
    """
    if delivery.consumer not in consumers.names_of_mailers():
        raise NoMail()
    first, consumer = delivery.event, delivery.consumer
    if first.type == RESENT:
        consumer = first.data["consumer"]
        first = Event.objects.get(pk=first.object_id)
    lock_text(RESENT, str(first.pk))
    if Delivery.objects.filter(event=first, consumer=consumer, status=DeliveryStatus.WAITING).exists():
        raise MailJustSent()
    require_not_just_sent(RESENT, first)
    services.record(services.about(RESENT, first, resent_by, {"consumer": consumer, "mail": first.type}))
    return first


def require_not_just_sent(kind: str, subject: Model) -> None:
    """Refuse a second click: an event of this kind about the subject, a moment ago. Raises MailJustSent.

    The caller holds a lock under which such events are recorded.
    """
    earlier = Event.objects.filter(object_type=subject._meta.label_lower, object_id=str(subject.pk), type=kind)
    if earlier.filter(created_at__gt=clock.now() - ONCE_IN).exists():
        raise MailJustSent()


def handle(event: Event) -> None:
    """Write and send the mail of the event that this one is about, as if that had happened now.

    With the number of this event, so that it is a mail of its own and no second try of the first one.
    """
    again = copy(Event.objects.select_related("account", "actor").get(pk=event.object_id))
    again.pk, again.created_at = event.pk, event.created_at
    consumers.get(event.data["consumer"]).handle(again)
