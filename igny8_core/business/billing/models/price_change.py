"""Changes of price for customers who already have a plan, and who was told of them."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from igny8_core.auth.models import BillingCycle
from igny8_core.common import clock
from igny8_core.common.model_fields import AmountField


class PlanPriceChange(models.Model):
    """From a day on, renewals of a plan cost another price. It concerns those who pay in its currency and cycle.

    Customers are told at least `notice_days` before the first period at the new price. New orders cost what the plan
    itself says.
    """

    plan = models.ForeignKey("igny8_auth.Plan", on_delete=models.PROTECT, related_name="price_changes")
    price = AmountField(validators=[MinValueValidator(Decimal("0.0001"))], help_text="For a whole period")
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    billing_cycle = models.CharField(max_length=10, choices=BillingCycle.choices)
    effective_on = models.DateField(help_text="Periods that begin on this day (UTC) or later have the new price")
    notice_days = models.PositiveSmallIntegerField(help_text="How many days before that customers are told")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    withdrawn_at = models.DateTimeField("withdrawn", null=True, blank=True, help_text="It does not happen any more")
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "igny8_plan_price_changes"
        verbose_name = "price change"
        ordering = ("-effective_on", "-id")
        permissions = [("withdraw_planpricechange", "Can withdraw changes of price")]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "effective_on"],
                condition=Q(withdrawn_at=None),
                name="igny8_plan_price_changes_once_a_day",
                violation_error_message="The plan already has a change of price for this day.",
            ),
            models.CheckConstraint(condition=Q(price__gt=0), name="igny8_plan_price_changes_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="igny8_plan_price_changes_iso"),
            models.CheckConstraint(
                condition=Q(billing_cycle__in=BillingCycle.values), name="igny8_plan_price_changes_cycle_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan}: {self.price} {self.currency} from {self.effective_on}"


class PriceChangeNotice(models.Model):
    """A customer was told of a change of price. `applies_from`: the start of the first period at the new price."""

    price_change = models.ForeignKey(PlanPriceChange, on_delete=models.PROTECT, related_name="notices")
    # No index of its own: the constraint's index begins with this column.
    subscription = models.ForeignKey(
        "igny8_auth.Subscription", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    applies_from = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True, help_text="When the first such period began")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_price_change_notices"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["subscription", "price_change"], name="igny8_price_change_notices_once"),
        ]

    def __str__(self) -> str:
        return f"Notice of change {self.price_change_id} to subscription {self.subscription_id}"
