"""Renewals: further periods of subscriptions, changes of price and who was told of them, and warnings about cards."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import igny8_core.common.clock
import igny8_core.common.model_fields


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0024_reasons_of_rejections"),
        ("igny8_auth", "0012_email_before"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="accountpaymentmethod",
            name="expiry_warned_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the customer was told that the card expires",
                null=True,
                verbose_name="warned of the expiry",
            ),
        ),
        migrations.CreateModel(
            name="PlanPriceChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "price",
                    igny8_core.common.model_fields.AmountField(
                        decimal_places=4,
                        help_text="For a whole period",
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.0001"))],
                    ),
                ),
                ("currency", models.CharField(help_text="ISO 4217", max_length=3)),
                (
                    "billing_cycle",
                    models.CharField(choices=[("monthly", "Monthly"), ("annual", "Annual")], max_length=10),
                ),
                (
                    "effective_on",
                    models.DateField(help_text="Periods that begin on this day (UTC) or later have the new price"),
                ),
                (
                    "notice_days",
                    models.PositiveSmallIntegerField(help_text="How many days before that customers are told"),
                ),
                ("created_at", models.DateTimeField(default=igny8_core.common.clock.now, editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="price_changes", to="igny8_auth.plan"
                    ),
                ),
            ],
            options={
                "verbose_name": "price change",
                "db_table": "igny8_plan_price_changes",
                "ordering": ("-effective_on", "-id"),
            },
        ),
        migrations.CreateModel(
            name="PriceChangeNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("applies_from", models.DateTimeField()),
                (
                    "applied_at",
                    models.DateTimeField(blank=True, help_text="When the first such period began", null=True),
                ),
                ("created_at", models.DateTimeField(default=igny8_core.common.clock.now, editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="igny8_auth.account",
                    ),
                ),
                (
                    "price_change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="billing.planpricechange",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="igny8_auth.subscription",
                    ),
                ),
            ],
            options={
                "db_table": "igny8_price_change_notices",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Renewal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Invoice open"),
                            ("paid", "Paid before its period"),
                            ("begun", "Period begun"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "next_charge_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When the saved card is charged; empty if it is not, or not again",
                        null=True,
                        verbose_name="next charge",
                    ),
                ),
                ("charge_takes", models.PositiveSmallIntegerField(default=0, verbose_name="times it was taken up")),
                ("declines", models.PositiveSmallIntegerField(default=0, verbose_name="times the card was declined")),
                (
                    "last_decline",
                    models.CharField(
                        blank=True, help_text="The gateway's word", max_length=100, verbose_name="last decline"
                    ),
                ),
                ("last_charged_at", models.DateTimeField(blank=True, null=True, verbose_name="last charge")),
                ("begun_at", models.DateTimeField(blank=True, null=True, verbose_name="begun")),
                ("created_at", models.DateTimeField(default=igny8_core.common.clock.now, editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="renewals", to="igny8_auth.account"
                    ),
                ),
                (
                    "invoice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="renewal", to="billing.invoice"
                    ),
                ),
                (
                    "last_attempt",
                    models.ForeignKey(
                        blank=True,
                        help_text="The last declined payment that was counted",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.payment",
                    ),
                ),
                (
                    "price_change",
                    models.ForeignKey(
                        blank=True,
                        help_text="The change of price that this period is the first to have",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.planpricechange",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="renewals",
                        to="igny8_auth.subscription",
                    ),
                ),
            ],
            options={
                "db_table": "igny8_renewals",
                "ordering": ("-id",),
                "permissions": [("retry_renewal", "Can retry renewals of subscriptions")],
            },
        ),
        migrations.AddConstraint(
            model_name="planpricechange",
            constraint=models.UniqueConstraint(
                fields=("plan", "effective_on"),
                name="igny8_plan_price_changes_once_a_day",
                violation_error_message="The plan already has a change of price for this day.",
            ),
        ),
        migrations.AddConstraint(
            model_name="planpricechange",
            constraint=models.CheckConstraint(
                condition=models.Q(("price__gt", 0)), name="igny8_plan_price_changes_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="planpricechange",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="igny8_plan_price_changes_iso"
            ),
        ),
        migrations.AddConstraint(
            model_name="planpricechange",
            constraint=models.CheckConstraint(
                condition=models.Q(("billing_cycle__in", ["monthly", "annual"])),
                name="igny8_plan_price_changes_cycle_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricechangenotice",
            constraint=models.UniqueConstraint(
                fields=("subscription", "price_change"), name="igny8_price_change_notices_once"
            ),
        ),
        migrations.AddIndex(
            model_name="renewal",
            index=models.Index(
                condition=models.Q(("next_charge_at__isnull", False)),
                fields=["next_charge_at"],
                name="igny8_renewals_to_charge",
            ),
        ),
        migrations.AddIndex(
            model_name="renewal",
            index=models.Index(
                condition=models.Q(("status__in", ["open", "paid"])),
                fields=["period_start", "id"],
                name="igny8_renewals_undecided",
            ),
        ),
        migrations.AddConstraint(
            model_name="renewal",
            constraint=models.UniqueConstraint(
                fields=("subscription", "period_start"), name="igny8_renewals_once_per_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="renewal",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "paid", "begun", "withdrawn"])),
                name="igny8_renewals_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="renewal",
            constraint=models.CheckConstraint(
                condition=models.Q(("period_end__gt", models.F("period_start"))), name="igny8_renewals_forward"
            ),
        ),
        migrations.AddConstraint(
            model_name="renewal",
            constraint=models.CheckConstraint(
                condition=models.Q(("status", "open"), ("next_charge_at__isnull", True), _connector="OR"),
                name="igny8_renewals_only_open_ones_are_charged",
            ),
        ),
        migrations.AddConstraint(
            model_name="renewal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("begun_at__isnull", False), ("status", "begun")),
                    models.Q(models.Q(("status", "begun"), _negated=True), ("begun_at__isnull", True)),
                    _connector="OR",
                ),
                name="igny8_renewals_begun_has_time",
            ),
        ),
    ]
