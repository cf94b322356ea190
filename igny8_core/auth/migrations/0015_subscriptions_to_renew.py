"""The order in which renewals are invoiced: subscriptions by the end of their period."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("igny8_auth", "0012_email_before")]

    operations = [
        AddIndexConcurrently(
            "subscription",
            models.Index(
                fields=["current_period_end", "id"],
                name="igny8_subscriptions_to_renew",
                condition=models.Q(("billing_driver", "local"), ("status", "active")),
            ),
        ),
    ]
