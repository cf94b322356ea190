from dataclasses import fields
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from igny8_core.auth.models.plan import BillingCycle
from igny8_core.auth.models.terms import Terms
from igny8_core.common import clock
from igny8_core.common.model_fields import AmountField


class SubscriptionStatus(models.TextChoices):
    PENDING_PAYMENT = "pending_payment", _("Pending payment")
    ACTIVE = "active", _("Active")
    PAST_DUE = "past_due", _("Past due")
    CANCELED = "canceled", _("Canceled")


SUBSCRIPTION_TRANSITIONS: dict[str, frozenset[str]] = {
    SubscriptionStatus.PENDING_PAYMENT: frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELED}),
    SubscriptionStatus.ACTIVE: frozenset({SubscriptionStatus.PAST_DUE, SubscriptionStatus.CANCELED}),
    SubscriptionStatus.PAST_DUE: frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELED}),
    SubscriptionStatus.CANCELED: frozenset(),
}
LIVE_STATUSES = [SubscriptionStatus.PENDING_PAYMENT, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE]


class BillingDriver(models.TextChoices):
    """Whether we bill a subscription, or Stripe does because it was created there."""

    LOCAL = "local", "igny8"
    STRIPE = "stripe", "Stripe"


TERMS_COLUMNS = tuple(f"terms_{field.name}" for field in fields(Terms))
NO_TERMS = Q(**{f"{column}__isnull": True for column in TERMS_COLUMNS})
ALL_TERMS = Q(**{f"{column}__isnull": False for column in TERMS_COLUMNS})


class Subscription(models.Model):
    """An account's subscription to a plan. An account has at most one live subscription.

    `terms` are what the customer has: set by what was paid, or by a change at the end of a period. Edits of the plan do
    not change them.
    """

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey("igny8_auth.Plan", on_delete=models.PROTECT, related_name="subscriptions")
    status = models.CharField(
        max_length=20, choices=SubscriptionStatus.choices, default=SubscriptionStatus.PENDING_PAYMENT
    )
    current_period_start = models.DateTimeField(null=True, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)
    billing_anchor = models.DateTimeField(
        null=True, blank=True, help_text="Start of the first period; the later periods are computed from it"
    )
    cancel_at_period_end = models.BooleanField("ends with the period", default=False)
    canceled_at = models.DateTimeField(null=True, blank=True)
    pending_plan = models.ForeignKey(
        "igny8_auth.Plan",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="next plan",
        help_text="Replaces the plan when the period ends",
    )
    terms_price = AmountField("price", null=True, blank=True, help_text="Per period; empty until the first payment")
    terms_currency = models.CharField("currency", max_length=3, null=True, blank=True, help_text="ISO 4217")  # noqa: DJ001 - NULL until the first payment
    terms_billing_cycle = models.CharField(  # noqa: DJ001 - as above
        "billing cycle", max_length=10, choices=BillingCycle.choices, null=True, blank=True
    )
    terms_credits = models.PositiveIntegerField("credits", null=True, blank=True, help_text="Granted for each period")
    terms_credits_rollover = models.BooleanField("credits roll over", null=True, blank=True)
    terms_max_sites = models.PositiveIntegerField("sites", null=True, blank=True)
    terms_max_users = models.PositiveIntegerField("users", null=True, blank=True)
    external_payment_id = models.CharField("last payment's reference", max_length=255, blank=True)
    stripe_subscription_id = models.CharField("Stripe subscription ID", max_length=100, blank=True)
    billing_driver = models.CharField(
        "billed by", max_length=10, choices=BillingDriver.choices, default=BillingDriver.LOCAL
    )
    stripe_synced_at = models.DateTimeField(
        "last read from Stripe", null=True, blank=True, help_text="When Stripe was last asked about this subscription"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_subscriptions"
        ordering = ("-id",)
        permissions = [
            ("end_subscription", "Can end subscriptions of customers"),
            ("change_subscription_plan", "Can change the plan of customers' subscriptions"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=SubscriptionStatus.values), name="igny8_subscriptions_status_known"
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(status__in=LIVE_STATUSES),
                name="igny8_subscriptions_one_live",
                violation_error_message="The account already has a live subscription. End that one first.",
            ),
            models.CheckConstraint(
                condition=Q(current_period_start__isnull=True, current_period_end__isnull=True)
                | Q(current_period_end__gt=F("current_period_start")),
                name="igny8_subscriptions_period_forward",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE])
                | Q(current_period_end__isnull=False, billing_anchor__isnull=False),
                name="igny8_subscriptions_active_has_period",
            ),
            models.CheckConstraint(condition=NO_TERMS | ALL_TERMS, name="igny8_subscriptions_terms_whole"),
            models.CheckConstraint(
                condition=~Q(status__in=[SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE]) | ALL_TERMS,
                name="igny8_subscriptions_active_has_terms",
            ),
            models.CheckConstraint(
                condition=Q(terms_price__gte=0)
                & Q(terms_currency__regex=r"^[A-Z]{3}$")
                & Q(terms_billing_cycle__in=BillingCycle.values)
                | Q(terms_price__isnull=True),
                name="igny8_subscriptions_terms_sensible",
            ),
            # Billed by both, a customer would pay twice (docs/gateways.md section 8).
            models.CheckConstraint(
                condition=Q(billing_driver=BillingDriver.STRIPE) & ~Q(stripe_subscription_id="")
                | Q(billing_driver=BillingDriver.LOCAL, stripe_subscription_id=""),
                name="igny8_subscriptions_one_driver",
            ),
            models.UniqueConstraint(
                fields=["stripe_subscription_id"],
                condition=~Q(stripe_subscription_id=""),
                name="igny8_subscriptions_stripe_unique",
            ),
        ]
        indexes = [
            models.Index(
                fields=["current_period_end"],
                name="igny8_subscriptions_due",
                condition=Q(status=SubscriptionStatus.ACTIVE),
            ),
            # The order in which renewals are invoiced, many at a time.
            models.Index(
                fields=["current_period_end", "id"],
                name="igny8_subscriptions_to_renew",
                condition=Q(status=SubscriptionStatus.ACTIVE, billing_driver=BillingDriver.LOCAL),
            ),
            models.Index(
                fields=["current_period_end", "id"],
                name="igny8_subscriptions_late",
                condition=Q(status=SubscriptionStatus.PAST_DUE),
            ),
            models.Index(
                fields=["plan"], name="igny8_subscriptions_running", condition=Q(status=SubscriptionStatus.ACTIVE)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} ({self.get_status_display()})"

    @property
    def payment_method(self) -> str:
        """The account's default payment method."""
        return self.account.default_payment_method

    @property
    def terms(self) -> Terms | None:
        """What the customer has, even if the plan was edited since; None until the first payment."""
        if self.terms_price is None:
            return None
        return Terms(**{field.name: getattr(self, f"terms_{field.name}") for field in fields(Terms)})


def terms_columns(terms: Terms) -> dict[str, Any]:
    """The columns of a subscription with these terms."""
    return {f"terms_{field.name}": getattr(terms, field.name) for field in fields(Terms)}
