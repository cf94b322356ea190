"""Indexes for what is past due, and for the operators' search by the beginning of a person's name, as in 0004."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("igny8_auth", "0019_sessions_people_know")]

    operations = [
        AddIndexConcurrently(
            "subscription",
            models.Index(
                condition=models.Q(("status", "past_due")),
                fields=["current_period_end", "id"],
                name="igny8_subscriptions_late",
            ),
        ),
        *(
            migrations.RunSQL(
                f"CREATE INDEX CONCURRENTLY igny8_users_{column}_prefix ON igny8_users (upper({column}) text_pattern_ops) "
                f"WHERE {column} > ''",
                f"DROP INDEX igny8_users_{column}_prefix",
            )
            for column in ("first_name", "last_name")
        ),
    ]
