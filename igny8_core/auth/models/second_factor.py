from django.conf import settings
from django.db import models

from igny8_core.common import clock


class SecondFactor(models.Model):
    """The secret that a person's device makes codes of. Only a sealed form is stored (services/one_time_codes.py).

    Whether codes are asked for says User.second_factor_since. `pending` is the secret of a device that has not shown a
    code yet: it becomes the secret with its first code.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="second_factor"
    )
    secret = models.CharField(max_length=255, blank=True, default="", db_default="")
    pending = models.CharField(max_length=255, blank=True, default="", db_default="")
    last_step = models.BigIntegerField(
        default=0, db_default=0, help_text="The half minute of the last code that was taken: it and older ones are not"
    )
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "igny8_second_factors"

    def __str__(self) -> str:
        return f"Second factor of {self.user}"


class RecoveryCode(models.Model):
    """A code that stands in for the device once. Only its hash is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "igny8_recovery_codes"
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="igny8_recovery_codes_unique"),
        ]

    def __str__(self) -> str:
        return f"Recovery code of {self.user}"
