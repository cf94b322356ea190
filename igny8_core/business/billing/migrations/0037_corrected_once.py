"""One invoice for a form, one correction of an invoice: indexes that are made while all goes on."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

# (model, name, table, columns): what Django calls a constraint is a unique index in PostgreSQL.
ONCE = [
    (
        "invoice",
        models.UniqueConstraint(
            fields=["account", "request_key"],
            condition=Q(request_key__isnull=False),
            name="igny8_invoices_once_per_form",
        ),
        "igny8_invoices (account_id, request_key) WHERE request_key IS NOT NULL",
    ),
    (
        "invoice",
        models.UniqueConstraint(
            fields=["replaces"], condition=Q(replaces__isnull=False), name="igny8_invoices_replaced_once"
        ),
        "igny8_invoices (replaces_id) WHERE replaces_id IS NOT NULL",
    ),
    (
        "allocation",
        models.UniqueConstraint(
            fields=["credit_note"],
            condition=Q(credit_note__isnull=False),
            name="igny8_allocations_credit_note_once",
        ),
        "igny8_allocations (credit_note_id) WHERE credit_note_id IS NOT NULL",
    ),
]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0036_corrected_invoices")]

    operations = [
        *(
            migrations.SeparateDatabaseAndState(
                state_operations=[migrations.AddConstraint(model_name=model, constraint=constraint)],
                database_operations=[
                    migrations.RunSQL(
                        f"CREATE UNIQUE INDEX CONCURRENTLY {constraint.name} ON {rows}",
                        f"DROP INDEX CONCURRENTLY {constraint.name}",
                    )
                ],
            )
            for model, constraint, rows in ONCE
        ),
        ValidateConstraint(model_name="allocation", name="igny8_allocations_kind_known"),
        ValidateConstraint(model_name="allocation", name="igny8_allocations_credited_has_note"),
        migrations.RunSQL(
            "ALTER TABLE igny8_invoices VALIDATE CONSTRAINT igny8_invoices_replaces_same_account",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "ALTER TABLE igny8_allocations VALIDATE CONSTRAINT igny8_allocations_credit_note_same_account",
            migrations.RunSQL.noop,
        ),
    ]
