from datetime import date

from django.db import models
from django.db.models import Q

from igny8_core.common.model_fields import AmountField


class DailySumKind(models.TextChoices):
    """What is summed: money in a currency, and credits, which have none."""

    ALLOCATED = "allocated", "Money allocated"
    RELEASED = "released", "Allocations released"
    GIVEN_BACK = "given_back", "Money given back"
    ISSUED = "issued", "Credits issued"
    USED = "used", "Credits used"
    EXPIRED = "expired", "Credits expired"
    TAKEN_BACK = "taken_back", "Credits taken back"


class DailySum(models.Model):
    """What came together on a day of UTC that is over, so that a year of the whole business can be added up at once.

    What it sums is only ever added to, and never with a time of the past. services/figures/days fills the table up to
    DailySumMark; newer rows are read from their own tables.
    """

    day = models.DateField(help_text="In UTC")
    kind = models.CharField(max_length=20, choices=DailySumKind.choices)
    currency = models.CharField(max_length=3, blank=True, help_text="ISO 4217; empty for credits")
    amount = AmountField(max_digits=24, decimal_places=4)

    class Meta:
        db_table = "igny8_daily_sums"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=DailySumKind.values), name="igny8_daily_sums_kind_known"),
            models.UniqueConstraint(
                fields=["kind", "day", "currency"], include=["amount"], name="igny8_daily_sums_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.day}"


# Earlier than any row: nothing is summed yet.
FIRST_DAY = date(2000, 1, 1)


class DailySumMark(models.Model):
    """The first day that is not summed yet: one row, or none before the first run."""

    day = models.DateField()

    class Meta:
        db_table = "igny8_daily_sum_mark"
        verbose_name = "end of the summed days"
        verbose_name_plural = "end of the summed days"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="igny8_daily_sum_mark_one_row")]

    def __str__(self) -> str:
        return f"{self.day}"

    @classmethod
    def read(cls) -> date:
        """The first day that is not summed."""
        return cls.objects.values_list("day", flat=True).first() or FIRST_DAY
