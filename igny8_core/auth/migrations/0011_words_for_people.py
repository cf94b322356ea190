"""Names and help texts as people read them; PostgreSQL has nothing to do."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import igny8_core.auth.models.user
import igny8_core.common.clock
import igny8_core.common.model_fields
from igny8_core.common.state_only import StateOnly


class Migration(StateOnly):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("igny8_auth", "0010_terms_accepted"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="siteuseraccess",
            options={"verbose_name": "site access", "verbose_name_plural": "site access"},
        ),
        migrations.AlterModelOptions(
            name="teaminvitation",
            options={"ordering": ("-id",), "verbose_name": "invitation"},
        ),
        migrations.AlterField(
            model_name="account",
            name="billing_address_line1",
            field=models.CharField(blank=True, max_length=255, verbose_name="address line 1"),
        ),
        migrations.AlterField(
            model_name="account",
            name="billing_address_line2",
            field=models.CharField(blank=True, max_length=255, verbose_name="address line 2"),
        ),
        migrations.AlterField(
            model_name="account",
            name="billing_city",
            field=models.CharField(blank=True, max_length=100, verbose_name="city"),
        ),
        migrations.AlterField(
            model_name="account",
            name="billing_country",
            field=models.CharField(blank=True, help_text="ISO 3166-1 alpha-2", max_length=2, verbose_name="country"),
        ),
        migrations.AlterField(
            model_name="account",
            name="billing_email",
            field=models.EmailField(blank=True, max_length=254, verbose_name="billing e-mail address"),
        ),
        migrations.AlterField(
            model_name="account",
            name="billing_postal_code",
            field=models.CharField(blank=True, max_length=20, verbose_name="postal code"),
        ),
        migrations.AlterField(
            model_name="account",
            name="billing_state",
            field=models.CharField(blank=True, max_length=100, verbose_name="state or province"),
        ),
        migrations.AlterField(
            model_name="account",
            name="credits",
            field=models.PositiveBigIntegerField(
                default=0, help_text="Credits that the account can spend now", verbose_name="credit balance"
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="deleted_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the owner deleted the account. Nobody can log in; invoices are kept.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="payment_method",
            field=models.CharField(
                choices=[
                    ("stripe", "Stripe"),
                    ("paypal", "PayPal"),
                    ("bank_transfer", "Bank Transfer"),
                    ("local_wallet", "Local Wallet"),
                    ("manual", "Manual"),
                ],
                default="stripe",
                help_text="Used if the account has no enabled default among its saved payment methods",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="stripe_customer_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="Stripe customer ID"),
        ),
        migrations.AlterField(
            model_name="account",
            name="tax_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="tax number"),
        ),
        migrations.AlterField(
            model_name="account",
            name="timezone",
            field=models.CharField(
                default="UTC", help_text="IANA name, for example Asia/Karachi", max_length=64, verbose_name="time zone"
            ),
        ),
        migrations.AlterField(
            model_name="industry",
            name="is_active",
            field=models.BooleanField(
                default=True, help_text="Off: customers can no longer choose it", verbose_name="active"
            ),
        ),
        migrations.AlterField(
            model_name="loginsession",
            name="id",
            field=models.UUIDField(
                default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="session ID"
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="credits_rollover",
            field=models.BooleanField(
                default=False,
                help_text="On: unused credits are kept when their period ends",
                verbose_name="credits roll over",
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="features",
            field=models.JSONField(blank=True, default=list, help_text="Texts shown with the plan, as a JSON list"),
        ),
        migrations.AlterField(
            model_name="plan",
            name="included_credits",
            field=models.PositiveIntegerField(default=0, help_text="Granted for each paid period"),
        ),
        migrations.AlterField(
            model_name="plan",
            name="is_active",
            field=models.BooleanField(default=True, help_text="Off: can no longer be ordered", verbose_name="active"),
        ),
        migrations.AlterField(
            model_name="plan",
            name="is_public",
            field=models.BooleanField(
                default=True, help_text="Off: not listed, and refused at signup", verbose_name="public"
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="is_trial",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The plan of signups that choose no plan; one at most",
                verbose_name="trial plan",
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="max_sites",
            field=models.PositiveIntegerField(
                default=1, help_text="How many sites an account may have", verbose_name="sites"
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="max_users",
            field=models.PositiveIntegerField(
                default=1, help_text="How many members an account may have", verbose_name="users"
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="stripe_price_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="Stripe price ID"),
        ),
        migrations.AlterField(
            model_name="plan",
            name="stripe_product_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="Stripe product ID"),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="billing_anchor",
            field=models.DateTimeField(
                blank=True, help_text="Start of the first period; the later periods are computed from it", null=True
            ),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="billing_driver",
            field=models.CharField(
                choices=[("local", "igny8"), ("stripe", "Stripe")],
                default="local",
                max_length=10,
                verbose_name="billed by",
            ),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="cancel_at_period_end",
            field=models.BooleanField(default=False, verbose_name="ends with the period"),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="external_payment_id",
            field=models.CharField(blank=True, max_length=255, verbose_name="last payment's reference"),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="pending_plan",
            field=models.ForeignKey(
                blank=True,
                help_text="Replaces the plan when the period ends",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="igny8_auth.plan",
                verbose_name="next plan",
            ),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="stripe_subscription_id",
            field=models.CharField(blank=True, max_length=100, verbose_name="Stripe subscription ID"),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="stripe_synced_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When Stripe was last asked about this subscription",
                null=True,
                verbose_name="last read from Stripe",
            ),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="terms_credits_rollover",
            field=models.BooleanField(blank=True, null=True, verbose_name="credits roll over"),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="terms_max_sites",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="sites"),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="terms_max_users",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="users"),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="terms_price",
            field=igny8_core.common.model_fields.AmountField(
                blank=True,
                decimal_places=4,
                help_text="Per period; empty until the first payment",
                max_digits=14,
                null=True,
                verbose_name="price",
            ),
        ),
        migrations.AlterField(
            model_name="teaminvitation",
            name="email",
            field=models.EmailField(max_length=254, verbose_name="e-mail address"),
        ),
        migrations.AlterField(
            model_name="teaminvitation",
            name="token_hash",
            field=models.CharField(help_text="SHA-256 of the token in the e-mailed link", max_length=64, unique=True),
        ),
        migrations.AlterField(
            model_name="user",
            name="date_joined",
            field=models.DateTimeField(default=igny8_core.common.clock.now, verbose_name="joined"),
        ),
        migrations.AlterField(
            model_name="user",
            name="email",
            field=igny8_core.auth.models.user.CanonicalEmailField(max_length=254, verbose_name="e-mail address"),
        ),
        migrations.AlterField(
            model_name="user",
            name="email_verified_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the person opened a link that was sent to the address",
                null=True,
                verbose_name="e-mail address verified",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="is_active",
            field=models.BooleanField(
                default=True,
                help_text="Off: the person cannot log in, and open sessions end at their next request",
                verbose_name="active",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="is_staff",
            field=models.BooleanField(
                default=False, help_text="On: the person may log in to this console", verbose_name="operator"
            ),
        ),
        migrations.AlterConstraint(
            model_name="plan",
            name="igny8_plans_one_trial",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_trial", True)),
                fields=("is_trial",),
                name="igny8_plans_one_trial",
                violation_error_message="Another plan is the trial plan already. Switch that off there first.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="subscription",
            name="igny8_subscriptions_one_live",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["pending_payment", "active", "past_due"])),
                fields=("account",),
                name="igny8_subscriptions_one_live",
                violation_error_message="The account already has a live subscription. End that one first.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="user",
            name="igny8_users_email_unique",
            constraint=models.UniqueConstraint(
                fields=("email",),
                name="igny8_users_email_unique",
                violation_error_message="Another user already has this e-mail address. Use a different one.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="user",
            name="igny8_users_role_with_account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("account__isnull", True), ("role", "")),
                    models.Q(("account__isnull", False), ("role__in", ["owner", "admin", "editor", "viewer"])),
                    _connector="OR",
                ),
                name="igny8_users_role_with_account",
                violation_error_message="Choose a role for a user with an account, and no role for a user without one.",
            ),
        ),
    ]
