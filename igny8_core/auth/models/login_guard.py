"""What protects logins from guessing: wrong passwords by place, and the places that a person has logged in from."""

from django.conf import settings
from django.db import models

from igny8_core.common import clock


class LoginFailure(models.Model):
    """Wrong passwords in a row for one address from one place. No address and no network is stored."""

    mark = models.CharField(max_length=64, primary_key=True, help_text="Keyed hash of e-mail address and place")
    address = models.CharField(max_length=64, db_index=True, help_text="Keyed hash of the e-mail address")
    failures = models.PositiveIntegerField()
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "igny8_login_failures"

    def __str__(self) -> str:
        return f"{self.failures} until {self.last_at:%Y-%m-%d %H:%M}"


class KnownPlace(models.Model):
    """A network or browser from which a person has logged in. Neither is stored."""

    mark = models.CharField(max_length=64, primary_key=True, help_text="Keyed hash of e-mail address and place")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="known_places")
    seen_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        db_table = "igny8_known_places"

    def __str__(self) -> str:
        return f"{self.user_id} at {self.seen_at:%Y-%m-%d %H:%M}"


class TrialTaken(models.Model):
    """That the credits of a trial were given to a mailbox. Stays when the account is deleted; no address is stored."""

    mark = models.CharField(max_length=64, primary_key=True, help_text="Keyed hash of the mailbox (mailboxes.py)")
    taken_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_trials_taken"

    def __str__(self) -> str:
        return f"taken {self.taken_at:%Y-%m-%d}"
