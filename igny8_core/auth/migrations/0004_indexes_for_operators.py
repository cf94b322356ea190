import django.contrib.postgres.indexes
from django.db import migrations, models

# What the operators' search looks for: the beginning of a text without regard to case. Not in the models: Django writes
# such an index rightly only with its app for PostgreSQL, of which nothing else is wanted.
PREFIXES = """
CREATE INDEX igny8_accounts_name_prefix ON igny8_accounts (upper(name) text_pattern_ops);
CREATE INDEX igny8_accounts_email_prefix ON igny8_accounts (upper(billing_email) text_pattern_ops);
"""
NO_PREFIXES = """
DROP INDEX igny8_accounts_email_prefix;
DROP INDEX igny8_accounts_name_prefix;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("igny8_auth", "0003_permissions"),
    ]

    operations = [
        migrations.RunSQL(PREFIXES, NO_PREFIXES),
        migrations.AddIndex(
            model_name="account",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["created_at"], name="igny8_accounts_by_time"),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("status", "active")), fields=["plan"], name="igny8_subscriptions_running"
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["email"], name="igny8_users_email_prefix", opclasses=["varchar_pattern_ops"]),
        ),
    ]
