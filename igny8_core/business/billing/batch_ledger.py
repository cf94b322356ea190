"""Many spends of one account in one statement; ledger.py has the statement for a single one, and tests hold the two
against each other. Only CreditBatchService calls it, with the account locked and everything decided.
"""

from igny8_core.common.db import PreparedStatement

# Rows of the ledger are numbered in the order of the operations.
SPEND_MANY = PreparedStatement(
    name="igny8_spend_many",
    types=(
        *("bigint", "bigint", "timestamptz", "bigint[]", "bigint[]"),
        *("text[]", "text[]", "bigint[]", "bigint[]", "jsonb[]", "bigint[]"),
    ),
    sql="""
        WITH operation AS (
            SELECT * FROM unnest($6, $7, $8, $9, $10, $11) WITH ORDINALITY
                AS operation (source, operation_type, amount, balance_after, metadata, site_id, position)
        ), taken AS (
            UPDATE igny8_credit_grants granted SET remaining = granted.remaining - lot.taken
            FROM unnest($4, $5) AS lot (id, taken)
            WHERE granted.id = lot.id AND granted.account_id = $1
        ), balance AS (
            UPDATE igny8_accounts SET credits = credits - (SELECT sum(amount)::bigint FROM operation) WHERE id = $1
        ), usage AS (
            INSERT INTO igny8_credit_usage_log
                (account_id, site_id, user_id, operation_type, credits, metadata, created_at)
            SELECT $1, site_id, $2, operation_type, amount, metadata, $3 FROM operation ORDER BY position
        )
        INSERT INTO igny8_credit_transactions
            (account_id, transaction_type, amount, balance_after, description, source, metadata, created_at)
        SELECT $1, 'usage', -amount, balance_after, operation_type, source, metadata, $3
        FROM operation ORDER BY position
        RETURNING source, id
    """,
)
