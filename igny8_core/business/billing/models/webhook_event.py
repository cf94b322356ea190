from django.db import models
from django.db.models import Q

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models.payee import GATEWAY_METHODS
from igny8_core.common import clock

PROVIDERS = {method.value: method.label for method in PaymentMethodType if method in GATEWAY_METHODS}


class WebhookState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    PROCESSED = "processed", "Processed"
    IGNORED = "ignored", "Nothing to do"
    NEEDS_REVIEW = "needs_review", "Needs review"
    DEAD = "dead", "Given up"


class WebhookEvent(models.Model):
    """A verified webhook message from a gateway. It is stored once, before anything is done about it."""

    provider = models.CharField("gateway", max_length=10, choices=list(PROVIDERS.items()))
    event_id = models.CharField("message ID", max_length=100)
    type = models.CharField(max_length=100)
    transmission_id = models.CharField(
        "PayPal delivery ID",
        max_length=100,
        blank=True,
        help_text="PayPal's id of the delivery; shows if its headers are used for another message",
    )
    body = models.TextField(
        "message", help_text="As it was sent. We trust the ids in it and ask the gateway for the rest."
    )
    state = models.CharField(max_length=20, choices=WebhookState.choices, default=WebhookState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField(default=clock.now, editable=False)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "igny8_webhook_events"
        verbose_name = "webhook message"
        ordering = ("-id",)
        permissions = [("process_webhook", "Can process webhook messages again")]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="igny8_webhook_events_once"),
            models.UniqueConstraint(
                fields=["provider", "transmission_id"],
                condition=~Q(transmission_id=""),
                name="igny8_webhook_events_transmission_once",
            ),
            models.CheckConstraint(
                condition=Q(provider__in=list(PROVIDERS)),
                name="igny8_webhook_events_provider_known",
            ),
            models.CheckConstraint(condition=Q(state__in=WebhookState.values), name="igny8_webhook_events_state_known"),
            models.CheckConstraint(
                condition=~Q(state=WebhookState.WAITING) | Q(next_attempt_at__isnull=False),
                name="igny8_webhook_events_waiting_has_next_try",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="igny8_webhook_events_due", condition=Q(state=WebhookState.WAITING)
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.type}"
