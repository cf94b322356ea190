from django.db import migrations, models

# Set on the database rather than per session: a pooler in transaction mode drops a session's SET and refuses start-up
# options, and also psql and scripts must not hold a row for ever. 3 s is what a person waits before a clear answer.
# New connections get it. Who is not the owner of the database gets a notice, and /readyz/ tells until it is set.
SET_TIMEOUTS = """
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET lock_timeout = ''3s''', current_database());
    EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = ''10s''', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'Not the owner of %: ask its owner to set lock_timeout and idle_in_transaction_session_timeout.',
        current_database();
END
$$
"""
RESET_TIMEOUTS = """
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I RESET lock_timeout', current_database());
    EXECUTE format('ALTER DATABASE %I RESET idle_in_transaction_session_timeout', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'Not the owner of %: the timeouts stay as they are.', current_database();
END
$$
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="RateCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        help_text="SHA-256 of scope, rate and caller: no addresses are kept.", max_length=64
                    ),
                ),
                ("window_start", models.DateTimeField(db_index=True)),
                ("count", models.PositiveIntegerField()),
            ],
            options={
                "db_table": "igny8_rate_counters",
                "constraints": [
                    models.UniqueConstraint(fields=("key", "window_start"), name="igny8_rate_counters_key_window")
                ],
            },
        ),
        migrations.RunSQL(SET_TIMEOUTS, RESET_TIMEOUTS),
    ]
