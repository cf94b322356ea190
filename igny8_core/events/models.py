"""The append-only event log, the deliveries of its events, the mail server's state and the last runs of tasks."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
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
    # The index of actor and time begins with it.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
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
            models.Index(fields=["actor", "created_at"], name="igny8_events_of_actor"),
            BrinIndex(fields=["created_at"], autosummarize=True, name="igny8_events_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.object_type} {self.object_id})"


class DeliveryStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    DEAD = "dead", "Given up"
    DROPPED = "dropped", "Dropped"


DELIVERY_TRANSITIONS: dict[str, frozenset[str]] = {
    DeliveryStatus.WAITING: frozenset({DeliveryStatus.DONE, DeliveryStatus.DEAD}),
    DeliveryStatus.DEAD: frozenset({DeliveryStatus.WAITING, DeliveryStatus.DROPPED}),
    DeliveryStatus.DROPPED: frozenset(),
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
    drop_reason = models.CharField(
        "dropped because",
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="Why an operator dropped it",
    )

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


class Lane(models.Model):
    """A way out that one worker at a time may use, over all processes: the one to the mail server.

    While the server does not answer, it is left alone until `rests_until`, for longer after each failure in a row.
    """

    name = models.CharField(max_length=20, unique=True)
    holder = models.CharField(max_length=32, blank=True, help_text="The worker that uses it now; empty if none does")
    held_until = models.DateTimeField(null=True, help_text="When others may take it over, if the holder has died")
    failures = models.PositiveIntegerField(default=0, help_text="How often in a row the server did not answer")
    failing_since = models.DateTimeField(null=True, help_text="When it stopped answering; empty while it answers")
    rests_until = models.DateTimeField(null=True, help_text="When it is tried next; empty while it answers")
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "igny8_delivery_lanes"
        verbose_name = "mail server"
        verbose_name_plural = "mail server"

    def __str__(self) -> str:
        return self.name


class TaskRun(models.Model):
    """When a scheduled task last ended, and how."""

    task = models.CharField(max_length=100, unique=True, help_text="Name of the task, as in the schedule")
    ended_at = models.DateTimeField(help_text="When its last run ended, well or not")
    succeeded_at = models.DateTimeField(null=True, help_text="When a run last ended well")
    has_failed = models.BooleanField(default=False, help_text="Whether the last run failed; the log says why")
    seconds = models.PositiveIntegerField(default=0, help_text="How long the last run took")
    count = models.PositiveIntegerField(null=True, help_text="How much the last run that ended well did, if it counts")

    class Meta:
        db_table = "igny8_task_runs"
        verbose_name = "scheduled task"
        verbose_name_plural = "scheduled tasks"

    def __str__(self) -> str:
        return self.task
