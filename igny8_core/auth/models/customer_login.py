import uuid

from django.conf import settings
from django.db import models

from igny8_core.common import clock


class CustomerLoginEnd(models.TextChoices):
    """How an operator's look at a customer's pages ended, if it did not just run out."""

    BUTTON = "button", "By its button"
    LOGGED_OUT = "logged_out", "Logged out"
    REPLACED = "replaced", "The operator logged in as somebody else"


class CustomerLogin(models.Model):
    """That an operator looked at the pages as a customer sees them: who, as whom, why, from when, until when."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    # No foreign key: sessions are deleted a month after their end, this is not.
    session_id = models.UUIDField("session ID", unique=True, default=uuid.uuid4, editable=False)
    began_at = models.DateTimeField(default=clock.now, editable=False)
    ends_at = models.DateTimeField(help_text="When it ends by itself")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was ended; empty: by itself, or not yet")
    ended_how = models.CharField(max_length=20, choices=CustomerLoginEnd.choices, blank=True, default="")

    class Meta:
        db_table = "igny8_customer_logins"
        verbose_name = "login as a customer"
        verbose_name_plural = "logins as customers"
        ordering = ("-id",)
        indexes = [models.Index(fields=["account", "-id"], name="igny8_customer_logins_account")]

    def __str__(self) -> str:
        return f"{self.operator} as {self.person}, {self.began_at:%Y-%m-%d %H:%M}"
