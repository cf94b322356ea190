"""Indexes for the sums of days, and for finding payments and open invoices by amount, made while all goes on."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0034_daily_sums")]

    operations = [
        AddIndexConcurrently(
            "allocation", BrinIndex(autosummarize=True, fields=["created_at"], name="igny8_allocations_by_time")
        ),
        AddIndexConcurrently(
            "allocation",
            models.Index(
                condition=models.Q(("released_at__isnull", False)),
                fields=["released_at"],
                name="igny8_allocations_released",
            ),
        ),
        AddIndexConcurrently(
            "creditnote", BrinIndex(autosummarize=True, fields=["created_at"], name="igny8_credit_notes_by_time")
        ),
        AddIndexConcurrently(
            "invoice",
            models.Index(
                condition=models.Q(("status", "pending")),
                fields=["total", "currency", "-id"],
                name="igny8_invoices_open_total",
            ),
        ),
        AddIndexConcurrently(
            "payment", models.Index(fields=["amount", "currency", "-id"], name="igny8_payments_amount_newest")
        ),
        # The one above begins with the same column, so that the release before finds by amount as fast as it did.
        RemoveIndexConcurrently("payment", "igny8_payments_by_amount"),
    ]
