"""Indexes for the operators' search by the beginning of a person's name, as in 0004, made while all goes on."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("igny8_auth", "0019_sessions_people_know")]

    operations = [
        migrations.RunSQL(
            f"CREATE INDEX CONCURRENTLY igny8_users_{column}_prefix ON igny8_users (upper({column}) text_pattern_ops) "
            f"WHERE {column} > ''",
            f"DROP INDEX igny8_users_{column}_prefix",
        )
        for column in ("first_name", "last_name")
    ]
