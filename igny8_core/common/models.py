"""Rate counters, the hits of limits, mails that were sent, and stored answers."""

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


class LimitHit(models.Model):
    """How often a limit refused something in one hour, whoever it was (limit_hits.py)."""

    limit = models.CharField(max_length=40, help_text="Its name on the page of limits")
    hour = models.DateTimeField("hour that began", db_index=True)
    count = models.PositiveIntegerField("refused", help_text="How often it refused something in that hour")

    class Meta:
        db_table = "igny8_limit_hits"
        verbose_name = "hit of a limit"
        verbose_name_plural = "limits hit"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["limit", "hour"], name="igny8_limit_hits_limit_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.limit}, {self.hour:%Y-%m-%d %H:%M}"


class SentMail(models.Model):
    """That a mail went to somebody, for the caps of mails (mail_caps.py). Forgotten after two days."""

    recipient = models.CharField(max_length=64, help_text="Keyed hash of the address, so that no address is stored")
    kind = models.CharField(max_length=20, help_text="What its cap counts: documents, invitations and so on")
    account_id = models.BigIntegerField("account", null=True, blank=True, help_text="Of the account that caused it")
    message_id = models.CharField("Message-ID", max_length=200)
    sent_at = models.DateTimeField(default=clock.now, editable=False, db_index=True)

    class Meta:
        db_table = "igny8_sent_mails"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message_id", "recipient"], name="igny8_sent_mails_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["recipient", "sent_at"], name="igny8_sent_mails_to"),
            models.Index(fields=["account_id", "sent_at"], name="igny8_sent_mails_of"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.sent_at:%Y-%m-%d %H:%M}"


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
