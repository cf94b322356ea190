"""Payments of before get their folded reference, in batches, while all goes on; those that wait are flagged."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from igny8_core.common.references import folded_reference

BATCH = 1000
NEXT = """
SELECT id, manual_reference, reference_key FROM igny8_payments
WHERE reference_fold = '' AND reference_key <> '' AND id > %s ORDER BY id LIMIT %s
"""
FOLD = """
UPDATE igny8_payments payment SET reference_fold = folded.reference
FROM unnest(%s::bigint[], %s::text[]) AS folded (id, reference) WHERE payment.id = folded.id
"""
LIVE = "('pending_approval', 'succeeded', 'partially_refunded', 'refunded', 'disputed')"
# What waits for a decision, on either side of a repeat. What was decided keeps what it showed.
FLAG = f"""
UPDATE igny8_payments payment SET is_repeated = true
WHERE payment.status = 'pending_approval' AND payment.reference_fold > '' AND EXISTS (
    SELECT FROM igny8_payments other
    WHERE other.reference_fold = payment.reference_fold AND other.id <> payment.id AND other.status IN {LIVE}
)
"""  # noqa: S608 - our words only
# In no model, as in 0004 of igny8_auth: the beginning of a text without regard to case.
PAYERS = """
CREATE INDEX CONCURRENTLY igny8_payments_payer_prefix ON igny8_payments (upper(payer_name) text_pattern_ops)
WHERE payer_name <> ''
"""


def fold_and_flag(apps: Any, schema_editor: Any) -> None:
    """Fold what is not folded yet, then flag repeats. Each batch is a transaction, and all can be begun again."""
    with schema_editor.connection.cursor() as cursor:
        last = 0
        while rows := _next(cursor, last):
            texts = [folded_reference(reference) or key for _, reference, key in rows]
            cursor.execute(FOLD, [[row[0] for row in rows], texts])
            last = rows[-1][0]
        cursor.execute(FLAG)


def _next(cursor: Any, last: int) -> list[Any]:
    cursor.execute(NEXT, [last, BATCH])
    rows: list[Any] = cursor.fetchall()
    return rows


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0025_repeats")]

    operations = [
        AddIndexConcurrently(
            "payment",
            models.Index(
                condition=models.Q(("reference_fold__gt", "")), fields=["reference_fold"], name="igny8_payments_by_fold"
            ),
        ),
        AddIndexConcurrently(
            "payment",
            models.Index(
                condition=models.Q(("reference_fold", ""), models.Q(("reference_key", ""), _negated=True)),
                fields=["id"],
                name="igny8_payments_not_folded",
            ),
        ),
        AddIndexConcurrently(
            "payment",
            models.Index(condition=models.Q(("is_repeated", True)), fields=["id"], name="igny8_payments_repeated"),
        ),
        AddIndexConcurrently("payment", models.Index(fields=["amount"], name="igny8_payments_by_amount")),
        AddIndexConcurrently("paymentproof", models.Index(fields=["sha256"], name="igny8_payment_proofs_stored")),
        AddIndexConcurrently(
            "paymentproof", models.Index(fields=["original_sha256"], name="igny8_payment_proofs_sent")
        ),
        migrations.RunSQL(PAYERS, "DROP INDEX igny8_payments_payer_prefix"),
        migrations.RunPython(fold_and_flag, migrations.RunPython.noop),
    ]
