"""The SQL behind credits: the lock that a spend begins with, and statements that write balance, grants and ledger.

SPEND reads the grants in the snapshot of its start, so an earlier statement of the same transaction must have locked
the account (docs/locking.md says what happens otherwise). These statements are for services/credits.
tests/billing/test_ledger.py compares them with a plain ledger in Python.
"""

from igny8_core.auth.models import Account
from igny8_core.common.db import PreparedStatement, require_atomic
from igny8_core.common.errors import NotFound

# The hot path of spending: a prepared statement for five columns instead of a whole model. The plan is not joined: if
# it changed while the statement waits for the lock, a join would find no row.
LOCK_BALANCE = PreparedStatement(
    name="igny8_lock_balance",
    types=("bigint",),
    sql="""
        SELECT account.credits,
               coalesce((SELECT terms_credits FROM igny8_subscriptions live WHERE live.account_id = account.id
                         AND live.status IN ('pending_payment', 'active', 'past_due')),
                        (SELECT included_credits FROM igny8_plans plan WHERE plan.id = account.plan_id)),
               account.status, account.suspended_reason, account.trial_ends_at
        FROM igny8_accounts account
        WHERE account.id = $1 FOR NO KEY UPDATE OF account
    """,
)
# The same with what one unit of an operation costs. The account is read under the lock, the cost as it was when the
# statement began.
LOCK_BALANCE_AND_COST = PreparedStatement(
    name="igny8_lock_balance_and_cost",
    types=("bigint", "text"),
    sql="""
        SELECT account.credits,
               coalesce((SELECT terms_credits FROM igny8_subscriptions live WHERE live.account_id = account.id
                         AND live.status IN ('pending_payment', 'active', 'past_due')),
                        (SELECT included_credits FROM igny8_plans plan WHERE plan.id = account.plan_id)),
               account.status, account.suspended_reason, account.trial_ends_at, cost.credits_per_unit
        FROM igny8_accounts account
        LEFT JOIN igny8_credit_cost_config cost ON cost.operation_type = $2 AND cost.is_active
        WHERE account.id = $1 FOR NO KEY UPDATE OF account
    """,
)

# If the source was already granted, nothing is written and no row comes back. The same if an earlier release granted
# the invoice's credits for its payment: that grant's source is `payment:<id>`. The account is locked before the grant
# is inserted; in the other order, two grants of one source could deadlock. The old snapshot does no harm, because just
# the balance is read, and an UPDATE sees its current value.
GRANT = PreparedStatement(
    name="igny8_grant_credits",
    types=("bigint", "text", "text", "bigint", "timestamptz", "text", "text", "jsonb", "timestamptz"),
    sql="""
        WITH locked AS (
            SELECT id FROM igny8_accounts WHERE id = $1 FOR NO KEY UPDATE
        ), credit_grant AS (
            INSERT INTO igny8_credit_grants (account_id, kind, source, amount, remaining, expires_at, created_at)
            SELECT id, $2, $3, $4, $4, $5, $9 FROM locked
            WHERE NOT EXISTS (
                SELECT FROM igny8_payments payment
                JOIN igny8_credit_grants earlier
                  ON earlier.account_id = payment.account_id AND earlier.source = 'payment:' || payment.id
                WHERE payment.invoice_id = substring($3 FROM '^invoice:([0-9]{1,18})$')::bigint
                  AND payment.account_id = $1
            )
            ON CONFLICT (account_id, source) DO NOTHING
            RETURNING account_id
        ), balance AS (
            UPDATE igny8_accounts account SET credits = account.credits + $4
            FROM credit_grant WHERE account.id = credit_grant.account_id
            RETURNING account.credits
        )
        INSERT INTO igny8_credit_transactions
            (account_id, transaction_type, amount, balance_after, description, source, metadata, created_at)
        SELECT $1, $6, $4, credits, $7, $3, $8, $9 FROM balance
        RETURNING id, balance_after
    """,
)
# The same for many accounts, each once, which are locked: each parameter is an array with the values of all. The ids of
# the ledger rows are known before, and so is the balance, which is compared here.
GRANT_SET = PreparedStatement(
    name="igny8_grant_credits_set",
    types=(*(f"{each}[]" for each in GRANT.types), "bigint[]", "bigint[]"),
    sql="""
        WITH draft AS (
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS draft
                (account_id, kind, source, amount, expires_at, transaction_type, description, metadata, created_at,
                 id, balance_after)
        ), credit_grant AS (
            INSERT INTO igny8_credit_grants (account_id, kind, source, amount, remaining, expires_at, created_at)
            SELECT account_id, kind, source, amount, amount, expires_at, created_at FROM draft
            WHERE NOT EXISTS (
                SELECT FROM igny8_payments payment
                JOIN igny8_credit_grants earlier
                  ON earlier.account_id = payment.account_id AND earlier.source = 'payment:' || payment.id
                WHERE payment.invoice_id = substring(draft.source FROM '^invoice:([0-9]{1,18})$')::bigint
                  AND payment.account_id = draft.account_id
            )
            ON CONFLICT (account_id, source) DO NOTHING
            RETURNING account_id, amount
        ), balance AS (
            UPDATE igny8_accounts account SET credits = account.credits + credit_grant.amount
            FROM credit_grant WHERE account.id = credit_grant.account_id
            RETURNING account.id, account.credits
        )
        INSERT INTO igny8_credit_transactions
            (id, account_id, transaction_type, amount, balance_after, description, source, metadata, created_at)
        SELECT draft.id, account_id, transaction_type, amount, balance_after, description, source, metadata, created_at
        FROM draft JOIN balance ON balance.id = draft.account_id AND balance.credits = draft.balance_after
        RETURNING id
    """,
)

# Grants are taken in this order: expires soonest, then plan before purchase, then oldest. `up_to` is the running sum,
# so a grant gives min(what it has, what is still missing). With $12 nothing is taken unless the user $7 may work on
# site $8, asked here because a site is deleted and access ended under the same lock. The last column tells a repeat of
# the same source. The event and its deliveries are written here as events/services.py would: one more statement is
# what a spend cannot afford.
SPEND = PreparedStatement(
    name="igny8_spend_credits",
    types=(
        *("bigint", "bigint", "text", "text", "text", "jsonb", "bigint", "bigint", "text"),
        *("timestamptz", "text[]", "boolean"),
    ),
    sql="""
        WITH previous AS (
            SELECT id, balance_after FROM igny8_credit_transactions
            WHERE account_id = $1 AND transaction_type = 'usage' AND source = $3
        ), held AS (
            SELECT id, remaining, sum(remaining) OVER (ORDER BY expires_at NULLS LAST, kind, id) AS up_to
            FROM igny8_credit_grants
            WHERE account_id = $1 AND remaining > 0 AND (expires_at IS NULL OR expires_at > $10)
        ), allowed AS (
            SELECT WHERE NOT $12 OR EXISTS (
                SELECT FROM igny8_sites site JOIN igny8_users person ON person.account_id = site.account_id
                WHERE site.id = $8 AND site.account_id = $1 AND person.id = $7 AND (
                    person.role IN ('owner', 'admin')
                    OR EXISTS (SELECT FROM igny8_site_user_access WHERE site_id = site.id AND user_id = person.id)
                )
            )
        ), enough AS (
            SELECT 1 FROM held, allowed HAVING sum(remaining) >= $2 AND NOT EXISTS (SELECT FROM previous)
        ), taken AS (
            UPDATE igny8_credit_grants granted
            SET remaining = granted.remaining - least(held.remaining, $2 - (held.up_to - held.remaining))
            FROM held, enough
            WHERE granted.id = held.id AND held.up_to - held.remaining < $2
        ), balance AS (
            UPDATE igny8_accounts account SET credits = account.credits - $2
            FROM enough WHERE account.id = $1
            RETURNING account.credits
        ), entry AS (
            INSERT INTO igny8_credit_transactions
                (account_id, transaction_type, amount, balance_after, description, source, metadata, created_at)
            SELECT $1, 'usage', -$2, credits, $5, $3, $6, $10 FROM balance
            RETURNING id, balance_after
        ), usage AS (
            INSERT INTO igny8_credit_usage_log
                (account_id, site_id, user_id, operation_type, credits, metadata, created_at)
            SELECT $1, $8, $7, $4, $2, $6, $10 FROM entry
        ), event AS (
            INSERT INTO igny8_events
                (type, account_id, object_type, object_id, actor_id, data, request_id, created_at)
            SELECT 'credits.spent', $1, 'billing.credittransaction', id::text, $7,
                   jsonb_build_object('amount', $2, 'operation_type', $4, 'balance_after', balance_after), $9,
                   $10
            FROM entry
            RETURNING id
        ), delivery AS (
            INSERT INTO igny8_event_deliveries (event_id, consumer, status, attempts, next_attempt_at, last_error)
            SELECT event.id, consumer, 'waiting', 0, $10, '' FROM event CROSS JOIN unnest($11) AS consumer
        )
        SELECT id, balance_after, FALSE FROM entry UNION ALL SELECT id, balance_after, TRUE FROM previous
    """,
)

# Many spends of one account, which is locked, with everything decided. The ledger has them in the order of the
# operations.
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
            UPDATE igny8_credit_grants granted SET remaining = granted.remaining - credit_grant.taken
            FROM unnest($4, $5) AS credit_grant (id, taken)
            WHERE granted.id = credit_grant.id AND granted.account_id = $1
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


def lock_balance(account: Account) -> tuple[int, int]:
    """Lock the account and read its balance and the credits that a period includes. Updates `account.status`.

    Raises NotFound if the account does not exist.
    """
    require_atomic()
    row = LOCK_BALANCE.fetch_one([account.pk])
    if row is None:
        raise NotFound()
    balance, included, account.status, account.suspended_reason, account.trial_ends_at = row
    return balance, included


def lock_balance_and_cost(account: Account, operation_type: str) -> tuple[tuple[int, int], int | None]:
    """Like lock_balance, and what one unit of the operation costs (None if it is unknown or not in use).

    Raises NotFound if the account does not exist.
    """
    require_atomic()
    row = LOCK_BALANCE_AND_COST.fetch_one([account.pk, operation_type])
    if row is None:
        raise NotFound()
    balance, included, account.status, account.suspended_reason, account.trial_ends_at, cost = row
    return (balance, included), cost
