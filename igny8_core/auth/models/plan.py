from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from igny8_core.auth.models.terms import Terms
from igny8_core.common.model_fields import AmountField


class BillingCycle(models.TextChoices):
    MONTHLY = "monthly", _("Monthly")
    ANNUAL = "annual", _("Annual")


class Plan(models.Model):
    """What an account can subscribe to. Operators edit `slug` and `name`, so do not look sold plans up by them.

    What is sold is copied onto the invoice, and onto the subscription when it is paid. Edits do not change the past.
    """

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=50, unique=True)
    price = AmountField(validators=[MinValueValidator(0)])
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217")
    billing_cycle = models.CharField(max_length=10, choices=BillingCycle.choices, default=BillingCycle.MONTHLY)
    included_credits = models.PositiveIntegerField(default=0, help_text="Granted for each paid period")
    credits_rollover = models.BooleanField(
        "credits roll over", default=False, help_text="On: unused credits are kept when their period ends"
    )
    max_sites = models.PositiveIntegerField("sites", default=1, help_text="How many sites an account may have")
    max_users = models.PositiveIntegerField("users", default=1, help_text="How many members an account may have")
    is_active = models.BooleanField("active", default=True, help_text="Off: can no longer be ordered")
    is_public = models.BooleanField("public", default=True, help_text="Off: not listed, and refused at signup")
    is_trial = models.BooleanField(
        "trial plan", default=False, db_default=False, help_text="The plan of signups that choose no plan; one at most"
    )
    sort_order = models.PositiveSmallIntegerField(default=0)
    features = models.JSONField(default=list, blank=True, help_text="Texts shown with the plan, as a JSON list")
    stripe_product_id = models.CharField("Stripe product ID", max_length=100, blank=True)
    stripe_price_id = models.CharField("Stripe price ID", max_length=100, blank=True)

    class Meta:
        db_table = "igny8_plans"
        ordering = ("sort_order", "id")
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="igny8_plans_price_not_negative"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="igny8_plans_currency_iso"),
            models.CheckConstraint(
                condition=Q(billing_cycle__in=BillingCycle.values), name="igny8_plans_billing_cycle_known"
            ),
            models.UniqueConstraint(
                fields=["is_trial"],
                condition=Q(is_trial=True),
                name="igny8_plans_one_trial",
                violation_error_message="Another plan is the trial plan already. Switch that off there first.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_free(self) -> bool:
        """Whether the plan costs nothing."""
        return bool(self.price == 0)

    @property
    def terms(self) -> Terms:
        """The terms of a new order: what a period costs and includes."""
        return Terms(
            price=self.price,
            currency=self.currency,
            billing_cycle=self.billing_cycle,
            credits=self.included_credits,
            credits_rollover=self.credits_rollover,
            max_sites=self.max_sites,
            max_users=self.max_users,
        )
