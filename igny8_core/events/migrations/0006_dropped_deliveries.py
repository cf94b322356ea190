"""Deliveries that operators drop, with their reason; indexes for the events of a day. Made while all goes on."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("events", "0005_lanes_and_runs")]

    operations = [
        AddIndexConcurrently(
            "event", BrinIndex(autosummarize=True, fields=["created_at"], name="igny8_events_by_time")
        ),
        AddIndexConcurrently("event", models.Index(fields=["actor", "created_at"], name="igny8_events_of_actor")),
        # Its own index goes: the one above begins with the same column.
        migrations.AlterField(
            "event",
            "actor",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            "delivery",
            "status",
            models.CharField(
                choices=[("waiting", "Waiting"), ("done", "Done"), ("dead", "Given up"), ("dropped", "Dropped")],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AddField(
            "delivery",
            "drop_reason",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why an operator dropped it",
                max_length=500,
                verbose_name="dropped because",
            ),
        ),
        migrations.RemoveConstraint("delivery", "igny8_event_deliveries_status_known"),
        AddConstraintNotValid(
            "delivery",
            models.CheckConstraint(
                condition=models.Q(("status__in", ["waiting", "done", "dead", "dropped"])),
                name="igny8_event_deliveries_status_known",
            ),
        ),
        ValidateConstraint("delivery", "igny8_event_deliveries_status_known"),
    ]
