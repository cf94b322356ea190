"""The append-only event log, and the deliveries of its events."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Event(models.Model):
    """One change of state. Events are the audit log, the activity feed, and the source of e-mails and webhooks.

    An event is written in the transaction of its change. A trigger refuses to change or delete it later.
    """

    type = models.CharField(max_length=60, help_text="noun.participle, for example payment.approved")
    account = models.ForeignKey(
        "igny8_auth.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="events"
    )
    object_type = models.CharField(max_length=60, help_text="Kind of the object that changed, as app.model")
    object_id = models.CharField("object ID", max_length=40)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    data = models.JSONField(default=dict, help_text="Details of the change, as they were then")
    request_id = models.CharField("request ID", max_length=64, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "igny8_events"
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["account", "-id"], name="igny8_events_of_account"),
            models.Index(fields=["object_type", "object_id"], name="igny8_events_of_object"),
            models.Index(fields=["type", "-id"], name="igny8_events_of_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.object_type} {self.object_id})"


class DeliveryStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    DEAD = "dead", "Given up"


DELIVERY_TRANSITIONS: dict[str, frozenset[str]] = {
    DeliveryStatus.WAITING: frozenset({DeliveryStatus.DONE, DeliveryStatus.DEAD}),
    DeliveryStatus.DEAD: frozenset({DeliveryStatus.WAITING}),
    DeliveryStatus.DONE: frozenset(),
}


class Delivery(models.Model):
    """The delivery of one event to one consumer. It happens at least once; the event's id shows repeats."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries")
    consumer = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, help_text="When it is tried next; empty if done or given up")
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "igny8_event_deliveries"
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "consumer"], name="igny8_event_deliveries_once"),
            models.CheckConstraint(
                condition=Q(status__in=DeliveryStatus.values), name="igny8_event_deliveries_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=DeliveryStatus.WAITING, next_attempt_at__isnull=False)
                | (~Q(status=DeliveryStatus.WAITING) & Q(next_attempt_at__isnull=True)),
                name="igny8_event_deliveries_waiting_has_next_try",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="igny8_event_deliveries_due",
                condition=Q(status=DeliveryStatus.WAITING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.consumer}: event {self.event_id}"
