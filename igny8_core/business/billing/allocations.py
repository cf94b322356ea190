"""The one statement that puts money against an invoice: allocation, settled amount and status, or nothing.

One statement, because whoever reads an invoice must never see one that is settled by nothing, and because an approval
pays for each way to the database under the account's lock. Only InvoiceService calls it.
"""

from igny8_core.common.db import PreparedStatement

# The UPDATE asks for the status that the invoice was read with, as common/states.py does: even a caller who forgot the
# lock cannot settle it twice. No row comes back where it has moved, or where the money is not what is missing.
SETTLE = PreparedStatement(
    name="igny8_settle_invoice",
    types=("bigint", "bigint", "text", "bigint", "numeric", "text", "bigint", "timestamptz", "timestamptz"),
    sql="""
        WITH settled AS (
            UPDATE igny8_invoices SET settled_amount = settled_amount + $5, status = 'paid', paid_at = $8
            WHERE id = $2 AND account_id = $1 AND status = $3 AND currency = $6 AND settled_amount + $5 = total
            RETURNING id
        )
        INSERT INTO igny8_allocations
            (account_id, invoice_id, payment_id, kind, amount, currency, made_by_id, created_at, release_reason)
        SELECT $1, id, $4, 'money', $5, $6, $7, $9, '' FROM settled
        RETURNING id
    """,
)
