"""Renewals: one row for each further period of a subscription that was invoiced."""

from django.db import models
from django.db.models import F, Q

from igny8_core.business.billing.models.invoice import InvoiceStatus
from igny8_core.common import clock


class RenewalStatus(models.TextChoices):
    """How far a renewal is."""

    OPEN = "open", "Invoice open"
    PAID = "paid", "Paid before its period"
    BEGUN = "begun", "Period begun"
    WITHDRAWN = "withdrawn", "Withdrawn"


RENEWAL_TRANSITIONS: dict[str, frozenset[str]] = {
    RenewalStatus.OPEN: frozenset({RenewalStatus.PAID, RenewalStatus.BEGUN, RenewalStatus.WITHDRAWN}),
    RenewalStatus.PAID: frozenset({RenewalStatus.BEGUN}),
    RenewalStatus.BEGUN: frozenset(),
    # Once the reason for the withdrawal is gone, the same period is invoiced again.
    RenewalStatus.WITHDRAWN: frozenset({RenewalStatus.OPEN}),
}


class Renewal(models.Model):
    """A further period of a subscription, its invoice, and what was done to collect it.

    A period is invoiced once: (subscription, period_start) is unique. A withdrawn renewal gets another invoice if the
    period is renewed after all. The period begins when it is paid, but never before `period_start`.
    """

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="renewals")
    # No index of its own: the constraint's index begins with this column.
    subscription = models.ForeignKey(
        "igny8_auth.Subscription", on_delete=models.PROTECT, related_name="renewals", db_index=False
    )
    invoice = models.OneToOneField("billing.Invoice", on_delete=models.PROTECT, related_name="renewal")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    status = models.CharField(max_length=10, choices=RenewalStatus.choices, default=RenewalStatus.OPEN)
    price_change = models.ForeignKey(
        "billing.PlanPriceChange",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The change of price that this period is the first to have",
    )
    next_charge_at = models.DateTimeField(
        "next charge",
        null=True,
        blank=True,
        help_text="When the saved card is charged; empty if it is not, or not again",
    )
    charge_takes = models.PositiveSmallIntegerField("times it was taken up", default=0)
    declines = models.PositiveSmallIntegerField("times the card was declined", default=0)
    last_decline = models.CharField("last decline", max_length=100, blank=True, help_text="The gateway's word")
    last_charged_at = models.DateTimeField("last charge", null=True, blank=True)
    last_attempt = models.ForeignKey(
        "billing.Payment",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The last declined payment that was counted",
    )
    begun_at = models.DateTimeField("begun", null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_renewals"
        ordering = ("-id",)
        permissions = [("retry_renewal", "Can retry renewals of subscriptions")]
        constraints = [
            # Whatever crashes or runs twice, a period is invoiced once (DAT-05).
            models.UniqueConstraint(fields=["subscription", "period_start"], name="igny8_renewals_once_per_period"),
            models.CheckConstraint(condition=Q(status__in=RenewalStatus.values), name="igny8_renewals_status_known"),
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="igny8_renewals_forward"),
            models.CheckConstraint(
                condition=Q(status=RenewalStatus.OPEN) | Q(next_charge_at__isnull=True),
                name="igny8_renewals_only_open_ones_are_charged",
            ),
            models.CheckConstraint(
                condition=Q(status=RenewalStatus.BEGUN, begun_at__isnull=False)
                | ~Q(status=RenewalStatus.BEGUN) & Q(begun_at__isnull=True),
                name="igny8_renewals_begun_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_charge_at"], name="igny8_renewals_to_charge", condition=Q(next_charge_at__isnull=False)
            ),
            models.Index(
                fields=["period_start", "id"],
                name="igny8_renewals_undecided",
                condition=Q(status__in=[RenewalStatus.OPEN, RenewalStatus.PAID]),
            ),
        ]

    def __str__(self) -> str:
        return f"Renewal {self.pk}: {self.period_start:%Y-%m-%d} to {self.period_end:%Y-%m-%d}"

    @property
    def is_paid(self) -> bool:
        """Whether its invoice is paid, even if a release without renewals booked the money."""
        return self.status == RenewalStatus.PAID or self.invoice.status == InvoiceStatus.PAID
