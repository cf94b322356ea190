"""Indexes for the list of a customer with a hundred thousand invoices, made while all goes on."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("billing", "0031_cards_of_before"),
        ("igny8_auth", "0019_sessions_people_know"),
    ]

    operations = [
        AddIndexConcurrently(
            "invoice",
            models.Index(
                fields=["account", "invoice_date", "id"], include=["invoice_number"], name="igny8_invoices_by_day"
            ),
        ),
        AddIndexConcurrently(
            "invoice", models.Index(fields=["account", "total", "id"], name="igny8_invoices_by_total")
        ),
        AddIndexConcurrently(
            "invoice",
            models.Index(fields=["account", "status", "invoice_date", "id"], name="igny8_invoices_status_day"),
        ),
        AddIndexConcurrently(
            "invoice",
            models.Index(
                fields=["account", "due_date", "id"],
                name="igny8_invoices_open_due",
                condition=models.Q(status="pending"),
            ),
        ),
    ]
