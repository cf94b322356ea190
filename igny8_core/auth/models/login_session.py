import uuid

from django.conf import settings
from django.db import models

from igny8_core.common import clock


class LoginSession(models.Model):
    """One login on one device: a family of refresh tokens that replace each other, or the cookie of the pages.

    AUT-03 to AUT-06 say what a stolen token can do.

    Only the newest refresh token of the family is good; an older one, used again, ends the session. For a few seconds
    the one before it is taken too, from the device that has just exchanged it: two tabs may refresh at once.
    """

    id = models.UUIDField("session ID", primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="login_sessions")
    current_token = models.CharField(
        max_length=64, help_text="Id of the one refresh token that is still good, or the mark of the cookie"
    )
    previous_token = models.CharField(max_length=64, blank=True, default="", db_default="")
    rotated_at = models.DateTimeField(null=True, blank=True)
    device = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Hash of the browser and network of the last use",
    )
    browser = models.CharField(
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text="The kind of browser and system at the login, such as Firefox on Windows; empty: a program",
    )
    used_at = models.DateTimeField(
        null=True, blank=True, help_text="The last use that was noted; empty: not used since the login"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the person last proved who they are; before that, at the login"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        db_table = "igny8_login_sessions"
        ordering = ("-created_at",)
        indexes = [models.Index(fields=["expires_at"], name="igny8_login_sessions_expiry")]

    def __str__(self) -> str:
        return f"{self.user} since {self.created_at:%Y-%m-%d %H:%M}"
