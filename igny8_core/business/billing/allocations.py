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
# The same for many invoices: each parameter is an array with the values of all.
SETTLE_SET = PreparedStatement(
    name="igny8_settle_invoices",
    types=tuple(f"{each}[]" for each in SETTLE.types),
    sql="""
        WITH draft AS (
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS draft
                (account_id, invoice_id, status, payment_id, amount, currency, made_by_id, paid_at, created_at)
        ), settled AS (
            UPDATE igny8_invoices invoice
            SET settled_amount = invoice.settled_amount + draft.amount, status = 'paid', paid_at = draft.paid_at
            FROM draft
            WHERE invoice.id = draft.invoice_id AND invoice.account_id = draft.account_id
              AND invoice.status = draft.status AND invoice.currency = draft.currency
              AND invoice.settled_amount + draft.amount = invoice.total
            RETURNING invoice.id
        )
        INSERT INTO igny8_allocations
            (account_id, invoice_id, payment_id, kind, amount, currency, made_by_id, created_at, release_reason)
        SELECT account_id, invoice_id, payment_id, 'money', amount, currency, made_by_id, created_at, ''
        FROM draft JOIN settled ON settled.id = draft.invoice_id
        RETURNING id
    """,
)
