"""Credit notes without a refund, invoices that correct others, and purchase orders.

The release before goes on: what is new can be empty, and what it writes fits.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

# As in 0003: a row of one account never points to a row of another. Checked for what is written from now on; there is
# nothing older.
SAME_ACCOUNT = """
ALTER TABLE igny8_invoices ADD CONSTRAINT igny8_invoices_replaces_same_account
    FOREIGN KEY (account_id, replaces_id) REFERENCES igny8_invoices (account_id, id) NOT VALID;
ALTER TABLE igny8_credit_notes ADD CONSTRAINT igny8_credit_notes_account_key UNIQUE (account_id, id);
ALTER TABLE igny8_allocations ADD CONSTRAINT igny8_allocations_credit_note_same_account
    FOREIGN KEY (account_id, credit_note_id) REFERENCES igny8_credit_notes (account_id, id) NOT VALID;
"""
ANY_ACCOUNT = """
ALTER TABLE igny8_allocations DROP CONSTRAINT igny8_allocations_credit_note_same_account;
ALTER TABLE igny8_credit_notes DROP CONSTRAINT igny8_credit_notes_account_key;
ALTER TABLE igny8_invoices DROP CONSTRAINT igny8_invoices_replaces_same_account;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0035_indexes_of_days_and_amounts")]

    operations = [
        migrations.AlterModelOptions(
            name="invoice",
            options={
                "ordering": ("-id",),
                "permissions": [
                    ("void_invoice", "Can void invoices"),
                    ("charge_invoice", "Can charge customers' saved cards for open invoices"),
                    ("correct_invoice", "Can credit invoices and correct their buyer"),
                ],
            },
        ),
        migrations.AddField(
            model_name="invoice",
            name="purchase_order_number",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The customer's; printed on the invoice",
                max_length=50,
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="request_key",
            field=models.UUIDField(
                blank=True,
                editable=False,
                help_text="Of the form that it was written in, which is taken once",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                help_text="The invoice that it corrects",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replacements",
                to="billing.invoice",
            ),
        ),
        migrations.AlterField(
            model_name="creditnote",
            name="payment",
            field=models.ForeignKey(
                blank=True,
                help_text="The payment that was refunded; empty if no money went back",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credit_notes",
                to="billing.payment",
            ),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="kind",
            field=models.CharField(
                choices=[("money", "Money"), ("credited", "Credit note")], default="money", max_length=20
            ),
        ),
        migrations.AddField(
            model_name="allocation",
            name="credit_note",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The credit note of the invoice that this one corrects",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="allocations",
                to="billing.creditnote",
            ),
        ),
        migrations.RemoveConstraint(model_name="allocation", name="igny8_allocations_kind_known"),
        AddConstraintNotValid(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=["money", "credited"]), name="igny8_allocations_kind_known"
            ),
        ),
        AddConstraintNotValid(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=Q(kind="credited", credit_note__isnull=False)
                | (~Q(kind="credited") & Q(credit_note__isnull=True)),
                name="igny8_allocations_credited_has_note",
            ),
        ),
        migrations.RunSQL(SAME_ACCOUNT, ANY_ACCOUNT),
    ]
