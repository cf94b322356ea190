"""What each subscription's customer has is written down, and which plan trials begin with.

The terms are those of the line that was paid last. A plan that came later at the end of a period was never invoiced: of it
the terms are the plan's own. What Stripe bills has the plan's own as well: its row here follows Stripe.
"""

from typing import Any

from django.db import migrations, models

import igny8_core.common.model_fields

OF_PLANS = ("plan", "plan_change")
BATCH = 1000
TERMS = (
    *("terms_price", "terms_currency", "terms_billing_cycle", "terms_credits", "terms_credits_rollover"),
    *("terms_max_sites", "terms_max_users"),
)


def mark_trial_plan(apps: Any, schema_editor: Any) -> None:
    """Until now signups looked for the slug "free". Where no plan has it, they were refused, and an operator decides."""
    apps.get_model("igny8_auth", "Plan").objects.filter(slug="free").update(is_trial=True)


def fill_terms(apps: Any, schema_editor: Any) -> None:
    """Write down the terms of each subscription that was paid. Raises ValueError with the id of one that fits nothing."""
    model = apps.get_model("igny8_auth", "Subscription")
    subscriptions = model.objects.filter(billing_anchor__isnull=False).select_related("plan").order_by("pk")
    changed = []
    for subscription in subscriptions.iterator(BATCH):
        _set_terms(subscription, _last_sold(apps, subscription), apps)
        changed.append(subscription)
        if len(changed) == BATCH:
            model.objects.bulk_update(changed, TERMS)
            changed = []
    model.objects.bulk_update(changed, TERMS)


def _last_sold(apps: Any, subscription: Any) -> Any:
    """The line that the customer paid for a plan last, or None."""
    if subscription.billing_driver != "local":
        return None
    lines = apps.get_model("billing", "InvoiceLine").objects.filter(kind__in=OF_PLANS, invoice__status="paid")
    paid = lines.filter(invoice__subscription=subscription).select_related("invoice")
    return paid.order_by("-invoice__paid_at", "-invoice_id", "position").first()


def _set_terms(subscription: Any, line: Any, apps: Any) -> None:
    plan = subscription.plan
    subscription.terms_price, subscription.terms_currency = plan.price, plan.currency
    subscription.terms_billing_cycle = plan.billing_cycle
    subscription.terms_credits = plan.included_credits
    subscription.terms_credits_rollover = plan.credits_rollover
    # What was sold in limits was written down nowhere: it is what the account has had until now.
    subscription.terms_max_sites, subscription.terms_max_users = plan.max_sites, plan.max_users
    if line is None:
        return
    if line.plan_id != plan.pk:
        _require_changed_since(apps, subscription, line)
        return
    is_change = line.kind == "plan_change"
    subscription.terms_price = line.period_price if is_change else line.unit_amount
    subscription.terms_credits = line.period_credits if is_change else line.credits
    subscription.terms_currency, subscription.terms_billing_cycle = line.invoice.currency, line.billing_cycle
    subscription.terms_credits_rollover = line.credits_rollover


def _require_changed_since(apps: Any, subscription: Any, line: Any) -> None:
    events = apps.get_model("events", "Event").objects.filter(
        object_type="igny8_auth.subscription", object_id=str(subscription.pk), type="subscription.plan_changed"
    )
    if not events.filter(created_at__gte=line.invoice.paid_at).exists():
        raise ValueError(
            f"Subscription {subscription.pk} has plan {subscription.plan_id}, and its customer paid last for plan "
            f"{line.plan_id} (invoice {line.invoice.invoice_number}), with no change of plan since: what is in force is "
            "not certain. Nothing has changed. Give the subscription the plan that its customer has, and migrate again."
        )


class Migration(migrations.Migration):
    dependencies = [
        ("igny8_auth", "0007_operators_decide_subscriptions"),
        ("billing", "0021_invoice_lines"),
    ]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="is_trial",
            field=models.BooleanField(
                db_default=False, default=False, help_text="What a signup without a plan begins with; one plan at most"
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="terms_billing_cycle",
            field=models.CharField(
                blank=True,
                choices=[("monthly", "Monthly"), ("annual", "Annual")],
                max_length=10,
                null=True,
                verbose_name="billing cycle",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="terms_credits",
            field=models.PositiveIntegerField(
                blank=True, help_text="Granted for each period", null=True, verbose_name="credits"
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="terms_credits_rollover",
            field=models.BooleanField(blank=True, null=True, verbose_name="credits rollover"),
        ),
        migrations.AddField(
            model_name="subscription",
            name="terms_currency",
            field=models.CharField(blank=True, help_text="ISO 4217", max_length=3, null=True, verbose_name="currency"),
        ),
        migrations.AddField(
            model_name="subscription",
            name="terms_max_sites",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="max sites"),
        ),
        migrations.AddField(
            model_name="subscription",
            name="terms_max_users",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="max users"),
        ),
        migrations.AddField(
            model_name="subscription",
            name="terms_price",
            field=igny8_core.common.model_fields.AmountField(
                blank=True,
                decimal_places=4,
                help_text="Of a period; empty until the first payment",
                max_digits=14,
                null=True,
                verbose_name="price",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_trial", True)),
                fields=("is_trial",),
                name="igny8_plans_one_trial",
                violation_error_message="Another plan is the one that trials begin with. Take the mark from it first.",
            ),
        ),
        migrations.RunPython(mark_trial_plan),
        migrations.RunPython(fill_terms),
        # What waits to be checked at the commit would forbid to alter the table.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("terms_billing_cycle__isnull", True),
                        ("terms_credits__isnull", True),
                        ("terms_credits_rollover__isnull", True),
                        ("terms_currency__isnull", True),
                        ("terms_max_sites__isnull", True),
                        ("terms_max_users__isnull", True),
                        ("terms_price__isnull", True),
                    ),
                    models.Q(
                        ("terms_billing_cycle__isnull", False),
                        ("terms_credits__isnull", False),
                        ("terms_credits_rollover__isnull", False),
                        ("terms_currency__isnull", False),
                        ("terms_max_sites__isnull", False),
                        ("terms_max_users__isnull", False),
                        ("terms_price__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="igny8_subscriptions_terms_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["active", "past_due"]), _negated=True),
                    models.Q(
                        ("terms_billing_cycle__isnull", False),
                        ("terms_credits__isnull", False),
                        ("terms_credits_rollover__isnull", False),
                        ("terms_currency__isnull", False),
                        ("terms_max_sites__isnull", False),
                        ("terms_max_users__isnull", False),
                        ("terms_price__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="igny8_subscriptions_active_has_terms",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("terms_price__gte", 0),
                        ("terms_currency__regex", "^[A-Z]{3}$"),
                        ("terms_billing_cycle__in", ["monthly", "annual"]),
                    ),
                    ("terms_price__isnull", True),
                    _connector="OR",
                ),
                name="igny8_subscriptions_terms_sensible",
            ),
        ),
    ]
