"""Rate counters and stored answers."""

from typing import ClassVar

from django.db import models

from igny8_core.common import clock


class RateCounter(models.Model):
    """How often a key was seen in one window of time. rate_limits.py writes it in one statement."""

    key = models.CharField(max_length=64, help_text="SHA-256 of limit, rate and caller, so that no address is stored")
    window_start = models.DateTimeField("start of the window", db_index=True)
    count = models.PositiveIntegerField()

    class Meta:
        db_table = "igny8_rate_counters"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "window_start"], name="igny8_rate_counters_key_window"),
        ]

    def __str__(self) -> str:
        return f"{self.count} since {self.window_start:%Y-%m-%d %H:%M:%S}"


class IdempotentAnswer(models.Model):
    """The answer to a request with an Idempotency-Key, committed in the transaction of the request's work."""

    caller = models.CharField(max_length=64, help_text="The user who sent the key")
    key = models.CharField("Idempotency-Key", max_length=255)
    request_hash = models.CharField(max_length=64, help_text="SHA-256 of method, address and body")
    status = models.PositiveSmallIntegerField("HTTP status")
    body = models.TextField(help_text="The answer as JSON text")
    created_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)

    class Meta:
        db_table = "igny8_idempotent_answers"
        verbose_name = "stored answer"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["caller", "key"], name="igny8_idempotent_answers_once"),
        ]

    def __str__(self) -> str:
        return f"{self.status} to {self.key}"
