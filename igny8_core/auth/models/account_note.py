import uuid

from django.conf import settings
from django.db import models

from igny8_core.common import clock


class AccountNote(models.Model):
    """What an operator wrote down about an account. A trigger refuses to change or delete it; no customer reads it."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField("note", help_text="For operators; customers never see it")
    # Of the dialog that it was written in, so that a second click writes nothing more.
    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_account_notes"
        verbose_name = "note"
        ordering = ("-id",)
        indexes = [models.Index(fields=["account", "-id"], name="igny8_account_notes_of_account")]

    def __str__(self) -> str:
        return f"Note {self.pk}"
