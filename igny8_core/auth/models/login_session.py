import uuid

from django.conf import settings
from django.db import models

from igny8_core.common import clock


class LoginSession(models.Model):
    """One login on one device, with its chain of refresh tokens (AUT-03 to AUT-06).

    The newest refresh token is valid. Using an older one ends the session.
    """

    id = models.UUIDField("session ID", primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="login_sessions")
    current_token = models.CharField(max_length=64, help_text="Id of the newest refresh token, the valid one")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        db_table = "igny8_login_sessions"
        ordering = ("-created_at",)
        indexes = [models.Index(fields=["expires_at"], name="igny8_login_sessions_expiry")]

    def __str__(self) -> str:
        return f"{self.user} since {self.created_at:%Y-%m-%d %H:%M}"
