"""The statement that allocates money to an invoice: it writes allocation, settled amount and status, or nothing.

It is one statement, so that nobody ever reads an invoice that is settled without an allocation, and because each round
trip to the database makes an approval hold the account's lock longer. invoices/lifecycle.py uses it.
"""

from igny8_core.common.db import PreparedStatement

# The UPDATE requires the status that the invoice was read with, as common/states.py does, so that even a caller who
# forgot the lock cannot settle it twice. No row comes back if the status has changed or the amount is not what is due.
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
