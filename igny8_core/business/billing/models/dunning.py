"""Dunning: the steps that were taken for unpaid invoices, what holds them back, and the operators' own holidays."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from igny8_core.auth.models import Account
from igny8_core.common import clock
from igny8_core.common.model_fields import AmountField


class StageKind(models.TextChoices):
    REMINDER = "reminder", "Reminder"
    OVERDUE = "overdue", "Overdue notice"
    SUSPENSION = "suspension", "Suspension"
    CANCELLATION = "cancellation", "Cancellation"


class DunningStep(models.Model):
    """A stage of dunning that was reached for an invoice. Each stage is recorded once.

    A stage that was already over when its turn came is recorded as skipped, so that nobody gets two mails at once.
    """

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="dunning_steps")
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="dunning_steps")
    stage = models.SmallIntegerField(help_text="Days after the due date; negative: before it")
    kind = models.CharField(max_length=15, choices=StageKind.choices)
    is_skipped = models.BooleanField("skipped", default=False, help_text="A later stage was due at the same time")
    amount_due = AmountField(help_text="What was still due then")
    taken_on = models.DateField(help_text="The customer's day")
    taken_at = models.DateTimeField(default=clock.now, editable=False)
    tries = models.PositiveSmallIntegerField(default=1, help_text="How often its mail was ordered")

    class Meta:
        db_table = "igny8_dunning_steps"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["invoice", "stage"], name="igny8_dunning_steps_once"),
            models.CheckConstraint(condition=Q(kind__in=StageKind.values), name="igny8_dunning_steps_kind_known"),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="igny8_dunning_steps_of_account")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on day {self.stage:+d}"


class DunningPause(models.Model):
    """An operator's decision that the clock of dunning stands still: for one invoice, or for all of an account.

    The clock goes on where it stood, on the day after `until`.
    """

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="dunning_pauses")
    invoice = models.ForeignKey(
        "billing.Invoice",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="dunning_pauses",
        help_text="The invoice with a later deadline; empty: the account is exempt",
    )
    until = models.DateField(help_text="The last day, where the customer is")
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When an operator ended or replaced it")

    class Meta:
        db_table = "igny8_dunning_pauses"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(invoice__isnull=True, ended_at__isnull=True),
                name="igny8_dunning_pauses_one_of_account",
            ),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(invoice__isnull=False, ended_at__isnull=True),
                name="igny8_dunning_pauses_one_of_invoice",
            ),
        ]

    def __str__(self) -> str:
        return f"Until {self.until}"


class DunningAccount(Account):
    """An account as the console's pages of dunning show it."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = "account in dunning"
        verbose_name_plural = "accounts in dunning"


class BusinessDay(models.Model):
    """An operator's word on a day, over the calendar of holidays that the software knows.

    For feasts that depend on the moon, for strikes, and for our own closing days.
    """

    country_code = models.CharField("country", max_length=2, help_text="ISO 3166-1 alpha-2, or * for all countries")
    day = models.DateField()
    is_business_day = models.BooleanField(
        "business day", default=False, help_text="Off: nobody is reminded, suspended or canceled on this day"
    )
    name = models.CharField(max_length=100, help_text="Why, for example Eid al-Fitr")

    class Meta:
        db_table = "igny8_business_days"
        ordering = ("day", "country_code")
        constraints = [
            models.UniqueConstraint(
                fields=["country_code", "day"],
                name="igny8_business_days_once",
                violation_error_message="There is a row for this country and day. Change that one.",
            ),
            models.CheckConstraint(
                condition=Q(country_code__regex=r"^([A-Z]{2}|\*)$"), name="igny8_business_days_country_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country_code} {self.day}: {self.name}"
