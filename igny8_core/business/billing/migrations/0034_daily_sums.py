"""Money and credits summed per day of UTC, which the task fills from the first day on."""

from django.db import migrations, models

import igny8_core.common.model_fields

KINDS = [
    ("allocated", "Money allocated"),
    ("released", "Allocations released"),
    ("given_back", "Money given back"),
    ("issued", "Credits issued"),
    ("used", "Credits used"),
    ("expired", "Credits expired"),
    ("taken_back", "Credits taken back"),
]


class Migration(migrations.Migration):
    dependencies = [("billing", "0033_withdrawn_prices")]

    operations = [
        migrations.CreateModel(
            name="DailySum",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(help_text="In UTC")),
                ("kind", models.CharField(choices=KINDS, max_length=20)),
                ("currency", models.CharField(blank=True, help_text="ISO 4217; empty for credits", max_length=3)),
                ("amount", igny8_core.common.model_fields.AmountField(decimal_places=4, max_digits=24)),
            ],
            options={"db_table": "igny8_daily_sums"},
        ),
        migrations.CreateModel(
            name="DailySumMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
            ],
            options={
                "db_table": "igny8_daily_sum_mark",
                "verbose_name": "end of the summed days",
                "verbose_name_plural": "end of the summed days",
            },
        ),
        migrations.AddConstraint(
            model_name="dailysum",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", [kind for kind, _ in KINDS])), name="igny8_daily_sums_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="dailysum",
            constraint=models.UniqueConstraint(
                fields=("kind", "day", "currency"), include=("amount",), name="igny8_daily_sums_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="dailysummark",
            constraint=models.CheckConstraint(condition=models.Q(("pk", 1)), name="igny8_daily_sum_mark_one_row"),
        ),
    ]
