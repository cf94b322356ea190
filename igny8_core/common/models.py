"""Tables that belong to no app."""

from typing import ClassVar

from django.db import models

from igny8_core.common import clock


class RateCounter(models.Model):
    """How often a key was seen in one window of time. rate_limits.py writes it in one statement."""

    key = models.CharField(max_length=64, help_text="SHA-256 of scope, rate and caller: no addresses are kept.")
    window_start = models.DateTimeField(db_index=True)
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

    caller = models.CharField(max_length=64, help_text="Whose key it is: keys of two callers never meet")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64, help_text="SHA-256 of method, address and body")
    status = models.PositiveSmallIntegerField()
    body = models.TextField(help_text="JSON, as it was sent")
    created_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)

    class Meta:
        db_table = "igny8_idempotent_answers"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["caller", "key"], name="igny8_idempotent_answers_once"),
        ]

    def __str__(self) -> str:
        return f"{self.status} to {self.key}"
