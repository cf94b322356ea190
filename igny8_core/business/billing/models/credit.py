from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from igny8_core.common.model_fields import AmountField
from igny8_core.common.money import discounted


class CreditPackage(models.Model):
    """Credits for sale on their own."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=50, unique=True)
    credits = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    price = AmountField(validators=[MinValueValidator(Decimal("0.0001"))])
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217")
    discount_percentage = models.PositiveSmallIntegerField(
        "discount in per cent", default=0, validators=[MaxValueValidator(99)]
    )
    valid_days = models.PositiveIntegerField(
        "valid for days", null=True, blank=True, help_text="Bought credits expire after this many days; empty: never"
    )
    is_active = models.BooleanField("active", default=True)
    is_featured = models.BooleanField("recommended", default=False)
    sort_order = models.PositiveSmallIntegerField(default=0)
    stripe_product_id = models.CharField("Stripe product ID", max_length=100, blank=True)
    stripe_price_id = models.CharField("Stripe price ID", max_length=100, blank=True)
    paypal_product_id = models.CharField("PayPal product ID", max_length=100, blank=True)

    class Meta:
        db_table = "igny8_credit_packages"
        ordering = ("sort_order", "id")
        constraints = [
            models.CheckConstraint(condition=Q(credits__gt=0), name="igny8_credit_packages_credits_positive"),
            models.CheckConstraint(condition=Q(price__gt=0), name="igny8_credit_packages_price_positive"),
            models.CheckConstraint(condition=Q(discount_percentage__lt=100), name="igny8_credit_packages_discount"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="igny8_credit_packages_currency"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def final_price(self) -> Decimal:
        """What is charged: price × (1 − discount), rounded half up to the currency's minor unit."""
        return discounted(self.price, self.discount_percentage, self.currency)


class CreditCostConfig(models.Model):
    """What one unit of an operation costs in credits."""

    operation_type = models.SlugField("operation code", max_length=50, unique=True)
    display_name = models.CharField("operation", max_length=100)
    credits_per_unit = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    unit = models.CharField(max_length=50, help_text="What is counted: article, image, 100 words, …")
    is_active = models.BooleanField("active", default=True)

    class Meta:
        db_table = "igny8_credit_cost_config"
        verbose_name = "credit cost"
        ordering = ("operation_type",)
        constraints = [
            models.CheckConstraint(condition=Q(credits_per_unit__gt=0), name="igny8_credit_cost_config_positive")
        ]

    def __str__(self) -> str:
        return self.display_name


class CreditTransactionType(models.TextChoices):
    TRIAL = "trial", _("Trial")
    SUBSCRIPTION = "subscription", _("Subscription")
    PURCHASE = "purchase", _("Purchase")
    ADJUSTMENT = "adjustment", _("Adjustment")
    USAGE = "usage", _("Usage")
    EXPIRY = "expiry", _("Expiry")
    REFUND = "refund", _("Refund")


class CreditTransaction(models.Model):
    """A row of the credit ledger. A trigger refuses change and deletion; errors are corrected by further rows."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="credit_transactions")
    transaction_type = models.CharField("type", max_length=20, choices=CreditTransactionType.choices)
    amount = models.BigIntegerField("credits", help_text="Positive if they were added, negative if they were taken")
    balance_after = models.BigIntegerField("balance afterwards")
    description = models.CharField(max_length=255)
    source = models.CharField(
        max_length=100, help_text="What it is for, such as payment:12; unique per account and type"
    )
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "igny8_credit_transactions"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(transaction_type__in=CreditTransactionType.values),
                name="igny8_credit_transactions_type_known",
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="igny8_credit_transactions_amount_not_zero"),
            models.CheckConstraint(condition=Q(balance_after__gte=0), name="igny8_credit_transactions_balance"),
            models.UniqueConstraint(
                fields=["account", "transaction_type", "source"], name="igny8_credit_transactions_source_once"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="igny8_credit_tx_of_account"),
            BrinIndex(fields=["created_at"], name="igny8_credit_tx_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+d} credits"


# How the source of what an operator gave begins.
GIVEN_BY_HAND = "adjustment:"


class CreditGrantKind(models.TextChoices):
    """Where a grant came from; plan credits are spent before purchased ones of the same expiry."""

    PLAN = "plan", _("Plan")
    PURCHASE = "purchase", _("Purchase")


class CreditGrant(models.Model):
    """A grant of credits with its own expiry; a spend takes from the grants that expire soonest."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="credit_grants")
    kind = models.CharField(max_length=10, choices=CreditGrantKind.choices)
    source = models.CharField(max_length=100, help_text="What they are for, such as payment:12; unique per account")
    amount = models.PositiveBigIntegerField("credits")
    remaining = models.PositiveBigIntegerField()
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "igny8_credit_grants"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=CreditGrantKind.values), name="igny8_credit_grants_kind_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="igny8_credit_grants_amount_positive"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("amount")),
                name="igny8_credit_grants_remaining_in_amount",
            ),
            models.UniqueConstraint(fields=["account", "source"], name="igny8_credit_grants_source_once"),
        ]
        indexes = [
            models.Index(
                fields=["account", "expires_at"], name="igny8_credit_grants_live", condition=Q(remaining__gt=0)
            ),
            models.Index(
                fields=["expires_at"],
                name="igny8_credit_grants_expiring",
                condition=Q(remaining__gt=0, expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.amount} credits"

    @property
    def is_bonus(self) -> bool:
        """Whether an operator gave them, and nobody paid for them."""
        return self.source.startswith(GIVEN_BY_HAND)


class CreditUsageLog(models.Model):
    """What credits were spent on: the record behind usage analytics."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="credit_usage")
    site = models.ForeignKey(
        "igny8_auth.Site", null=True, blank=True, on_delete=models.SET_NULL, related_name="credit_usage"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="credit_usage"
    )
    operation_type = models.CharField("operation", max_length=50)
    credits = models.PositiveIntegerField()
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "igny8_credit_usage_log"
        verbose_name = "credit usage"
        verbose_name_plural = "credit usage"
        ordering = ("-id",)
        constraints = [models.CheckConstraint(condition=Q(credits__gt=0), name="igny8_credit_usage_log_positive")]
        indexes = [
            models.Index(
                fields=["account", "created_at"],
                include=["operation_type", "credits"],
                name="igny8_credit_usage_by_day",
            ),
            # Rows are stored in the order of time, so an index of 24 kB finds the newest of a million for the roll-up.
            BrinIndex(fields=["created_at"], name="igny8_credit_usage_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.operation_type}: {self.credits} credits"


class CreditUsageSum(models.Model):
    """The usage log summed per quarter of an hour, so that a year of a busy account can be added up at once.

    All time zones differ from UTC by whole quarters of an hour, so these sums can form the days of any zone.
    services/credits/rollup fills the table up to UsageSumMark; newer usage is read from the log itself. Whole
    hours are read from CreditUsageHour, which has a quarter of the rows.
    """

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="+")
    quarter = models.DateTimeField("quarter of an hour", help_text="Start of the 15 minutes, UTC")
    operation_type = models.CharField("operation", max_length=50)
    credits = models.PositiveBigIntegerField()
    operations = models.PositiveIntegerField("number of operations")

    class Meta:
        db_table = "igny8_credit_usage_sums"
        verbose_name = "sum of credit usage"
        verbose_name_plural = "sums of credit usage"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "quarter", "operation_type"],
                include=["credits", "operations"],
                name="igny8_credit_usage_sums_once",
            ),
            models.CheckConstraint(
                condition=Q(credits__gt=0, operations__gt=0), name="igny8_credit_usage_sums_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation_type}: {self.credits} credits"


class CreditUsageHour(models.Model):
    """The usage log summed per hour of UTC: what a year is made of, but for the hours in which a day begins.

    services/credits/rollup fills the table up to UsageHourMark; business/billing/usage.py puts the tables together.
    """

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField(help_text="Start of the hour, UTC")
    operation_type = models.CharField("operation", max_length=50)
    credits = models.PositiveBigIntegerField()
    operations = models.PositiveIntegerField("number of operations")

    class Meta:
        db_table = "igny8_credit_usage_hours"
        verbose_name = "hourly sum of credit usage"
        verbose_name_plural = "hourly sums of credit usage"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "hour", "operation_type"],
                include=["credits", "operations"],
                name="igny8_credit_usage_hours_once",
            ),
            models.CheckConstraint(
                condition=Q(credits__gt=0, operations__gt=0), name="igny8_credit_usage_hours_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation_type}: {self.credits} credits"


# Earlier than any use of this software: nothing is summed yet.
FIRST_MARK = datetime(2025, 1, 1, tzinfo=UTC)


class SumMark(models.Model):
    """The time up to which the usage log is summed: one row, or none before the first run."""

    summed_up_to = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.summed_up_to:%Y-%m-%d %H:%M}"

    @classmethod
    def read(cls) -> datetime:
        """The time up to which the log is summed."""
        return cls._default_manager.values_list("summed_up_to", flat=True).first() or FIRST_MARK


class UsageSumMark(SumMark):
    """The time up to which the usage log is summed per quarter of an hour."""

    class Meta:
        db_table = "igny8_credit_usage_sum_mark"
        verbose_name = "end of the summed usage"
        verbose_name_plural = "end of the summed usage"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="igny8_credit_usage_sum_mark_one_row")]


class UsageHourMark(SumMark):
    """The time up to which the usage log is summed per hour."""

    class Meta:
        db_table = "igny8_credit_usage_hour_mark"
        verbose_name = "end of the hourly sums"
        verbose_name_plural = "end of the hourly sums"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="igny8_credit_usage_hour_mark_one_row")]
