from django.db import models


class MadeDefault(models.Model):
    """A default row that `seed_defaults` has created. If it was deleted or renamed since, it is not created again."""

    kind = models.CharField("table", max_length=50, help_text="Model of the row, such as igny8_auth.plan")
    key = models.CharField("row", max_length=100, help_text="Name of the row then, such as starter or PK local_wallet")

    class Meta:
        db_table = "igny8_made_defaults"
        verbose_name = "default row"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="igny8_made_defaults_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
