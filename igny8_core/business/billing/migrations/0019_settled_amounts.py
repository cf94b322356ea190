"""What stands against each invoice, as a column and as rows: every paid invoice gets the money that paid it."""

from decimal import Decimal
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import igny8_core.common.clock
import igny8_core.common.model_fields

CAPTURED = "('succeeded', 'partially_refunded', 'refunded', 'disputed')"
# Invoices whose money is not what they say, and money that no paid invoice has; the first of each stops the migration.
NOT_COVERED = f"""
SELECT invoice.id, invoice.invoice_number, invoice.total, invoice.currency, coalesce(sum(payment.amount), 0)
FROM igny8_invoices invoice
LEFT JOIN igny8_payments payment ON payment.invoice_id = invoice.id AND payment.account_id = invoice.account_id
 AND payment.currency = invoice.currency AND payment.status IN {CAPTURED}
WHERE invoice.status = 'paid'
GROUP BY invoice.id HAVING coalesce(sum(payment.amount), 0) <> invoice.total
ORDER BY invoice.id LIMIT 1
"""  # noqa: S608 - our names only
PAYS_NOTHING = f"""
SELECT payment.id, payment.status, payment.amount, payment.currency, invoice.invoice_number, invoice.status,
       invoice.currency
FROM igny8_payments payment JOIN igny8_invoices invoice ON invoice.id = payment.invoice_id
WHERE payment.status IN {CAPTURED} AND (invoice.status <> 'paid' OR invoice.currency <> payment.currency)
ORDER BY payment.id LIMIT 1
"""  # noqa: S608 - our names only
ALLOCATE = f"""
INSERT INTO igny8_allocations (account_id, invoice_id, payment_id, kind, amount, currency, made_by_id, created_at)
SELECT payment.account_id, payment.invoice_id, payment.id, 'money', payment.amount, payment.currency,
       payment.approved_by_id, coalesce(payment.processed_at, invoice.paid_at)
FROM igny8_payments payment JOIN igny8_invoices invoice ON invoice.id = payment.invoice_id
WHERE payment.status IN {CAPTURED} AND invoice.status = 'paid'
ORDER BY payment.id
"""  # noqa: S608 - our names only
SETTLE = "UPDATE igny8_invoices SET settled_amount = total WHERE status = 'paid'"


def carry_over(apps: Any, schema_editor: Any) -> None:
    """Fill columns and rows. Raises ValueError, with the id, for a row that fits nothing true."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(NOT_COVERED)
        if invoice := cursor.fetchone():
            number, name, total, currency, captured = invoice
            raise ValueError(
                f"Invoice {number} ({name}) is paid over {total} {currency}, and its captured payments add up to "
                f"{captured}. Find out from the gateway or the bank what was paid, correct igny8_payments, and migrate "
                "again."
            )
        cursor.execute(PAYS_NOTHING)
        if payment := cursor.fetchone():
            number, status, amount, currency, name, invoice_status, invoice_currency = payment
            raise ValueError(
                f"Payment {number} is {status} with {amount} {currency}, and its invoice {name} is {invoice_status} in "
                f"{invoice_currency}: the money paid nothing. Find out what it was for, correct igny8_payments, and "
                "migrate again."
            )
        cursor.execute(ALLOCATE)
        cursor.execute(SETTLE)
        # Checks of foreign keys that wait for the end would forbid what follows to alter the tables.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


# As in 0003: one account's money never stands against another's invoice. A release is the one thing that may change.
GUARDED = """
ALTER TABLE igny8_allocations ADD CONSTRAINT igny8_allocations_invoice_same_account
    FOREIGN KEY (account_id, invoice_id) REFERENCES igny8_invoices (account_id, id);
ALTER TABLE igny8_allocations ADD CONSTRAINT igny8_allocations_payment_same_account
    FOREIGN KEY (account_id, payment_id) REFERENCES igny8_payments (account_id, id);

CREATE FUNCTION igny8_refuse_allocation_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.released_at IS NULL
       AND to_jsonb(OLD) - 'released_at' - 'release_reason' = to_jsonb(NEW) - 'released_at' - 'release_reason'
       AND EXISTS (SELECT FROM igny8_invoices WHERE id = OLD.invoice_id AND status NOT IN ('paid', 'void')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Allocation % is kept as it is; it can only be released, once, while its invoice is open.', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER igny8_allocations_kept_as_made BEFORE UPDATE ON igny8_allocations
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_allocation_change();
CREATE TRIGGER igny8_allocations_kept BEFORE DELETE ON igny8_allocations
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();
"""
UNGUARDED = """
DROP TRIGGER igny8_allocations_kept ON igny8_allocations;
DROP TRIGGER igny8_allocations_kept_as_made ON igny8_allocations;
DROP FUNCTION igny8_refuse_allocation_change();
ALTER TABLE igny8_allocations DROP CONSTRAINT igny8_allocations_payment_same_account;
ALTER TABLE igny8_allocations DROP CONSTRAINT igny8_allocations_invoice_same_account;
"""

FINAL = """
DROP TRIGGER igny8_invoices_final ON igny8_invoices;
CREATE TRIGGER igny8_invoices_final BEFORE UPDATE ON igny8_invoices FOR EACH ROW
    WHEN (OLD.status IN ('paid', 'void') AND
          (OLD.status, OLD.account_id, OLD.subscription_id, OLD.invoice_number, OLD.currency, OLD.subtotal, OLD.tax,
           OLD.total, {settled_old}OLD.line_items, OLD.invoice_date, OLD.due_date, OLD.paid_at,
           OLD.metadata -> 'billing_snapshot')
          IS DISTINCT FROM
          (NEW.status, NEW.account_id, NEW.subscription_id, NEW.invoice_number, NEW.currency, NEW.subtotal, NEW.tax,
           NEW.total, {settled_new}NEW.line_items, NEW.invoice_date, NEW.due_date, NEW.paid_at,
           NEW.metadata -> 'billing_snapshot'))
    EXECUTE FUNCTION igny8_refuse_invoice_change();
"""
FROZEN = FINAL.format(settled_old="OLD.settled_amount, ", settled_new="NEW.settled_amount, ")
FROZEN_BEFORE = FINAL.format(settled_old="", settled_new="")


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0018_disputes_from_metadata"),
        ("igny8_auth", "0007_operators_decide_subscriptions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="settled_amount",
            field=igny8_core.common.model_fields.AmountField(
                db_default=Decimal(0),
                decimal_places=4,
                default=Decimal(0),
                help_text="What stands against it: the sum of its live allocations",
                max_digits=14,
            ),
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("money", "Money")], default="money", max_length=20)),
                ("amount", igny8_core.common.model_fields.AmountField(decimal_places=4, max_digits=14)),
                (
                    "currency",
                    models.CharField(help_text="ISO 4217; that of the invoice and of the payment", max_length=3),
                ),
                ("created_at", models.DateTimeField(default=igny8_core.common.clock.now, editable=False)),
                (
                    "released_at",
                    models.DateTimeField(blank=True, help_text="From then on it counts no more", null=True),
                ),
                ("release_reason", models.CharField(blank=True, db_default="", max_length=255)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="igny8_auth.account",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="allocations", to="billing.invoice"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The operator who decided; empty where a gateway did",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="billing.payment",
                    ),
                ),
            ],
            options={
                "db_table": "igny8_allocations",
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["money"])), name="igny8_allocations_kind_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "money"), ("payment__isnull", False)),
                            models.Q(models.Q(("kind", "money"), _negated=True), ("payment__isnull", True)),
                            _connector="OR",
                        ),
                        name="igny8_allocations_money_has_payment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="igny8_allocations_amount_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="igny8_allocations_currency_iso"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("release_reason", ""), ("released_at__isnull", True)),
                            models.Q(("released_at__isnull", False), models.Q(("release_reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="igny8_allocations_release_has_reason",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("released_at__isnull", True)),
                        fields=("payment", "invoice"),
                        name="igny8_allocations_one_live",
                    ),
                ],
            },
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("settled_amount__gte", 0), ("settled_amount__lte", models.F("total"))),
                name="igny8_invoices_settled_within_total",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_amount", models.F("total")), ("status", "paid")),
                    models.Q(
                        models.Q(("status", "paid"), _negated=True),
                        models.Q(("settled_amount", models.F("total")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="igny8_invoices_paid_is_settled",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["draft", "void"]), _negated=True), ("settled_amount", 0), _connector="OR"
                ),
                name="igny8_invoices_void_holds_nothing",
            ),
        ),
        migrations.RunSQL(GUARDED, UNGUARDED),
        migrations.RunSQL(FROZEN, FROZEN_BEFORE),
        # A gateway's message can wait for an operator.
        migrations.RemoveConstraint(model_name="webhookevent", name="igny8_webhook_events_state_known"),
        migrations.AlterField(
            model_name="webhookevent",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("processed", "Processed"),
                    ("ignored", "Nothing to do"),
                    ("needs_review", "Needs review"),
                    ("dead", "Given up"),
                ],
                default="waiting",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "processed", "ignored", "needs_review", "dead"])),
                name="igny8_webhook_events_state_known",
            ),
        ),
    ]
