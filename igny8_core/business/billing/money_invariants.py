"""What must always be true of money and credits (docs/domain.md 7). invariants.py has the others and checks all."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Invariant:
    """`sql` selects one text per violation; no rows: it holds. $overdue: what waits since before then is late.

    $ended: a period that ended before then should have been followed by something.
    """

    number: int
    name: str
    sql: str


OF_MONEY = [
    Invariant(
        1,
        "the balance of an account is the sum of its ledger, the last balance_after and the sum of its grants",
        """
        SELECT format('account %s: balance %s, ledger %s, last balance_after %s, grants %s',
                      account.id, account.credits, ledger.total, last.balance_after, grants.total)
        FROM igny8_accounts account
        LEFT JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM igny8_credit_transactions
                           WHERE account_id = account.id) ledger ON TRUE
        LEFT JOIN LATERAL (SELECT balance_after FROM igny8_credit_transactions
                           WHERE account_id = account.id ORDER BY id DESC LIMIT 1) last ON TRUE
        LEFT JOIN LATERAL (SELECT coalesce(sum(remaining), 0) AS total FROM igny8_credit_grants
                           WHERE account_id = account.id) grants ON TRUE
        WHERE account.credits <> ledger.total OR account.credits <> coalesce(last.balance_after, 0)
           OR account.credits <> grants.total
        """,
    ),
    Invariant(
        2,
        "each balance_after is the one before plus the amount",
        """
        SELECT format('ledger row %s of account %s: %s after %s with amount %s', id, account_id, balance_after, before,
                      amount)
        FROM (SELECT id, account_id, amount, balance_after,
                     coalesce(lag(balance_after) OVER (PARTITION BY account_id ORDER BY id), 0) AS before
              FROM igny8_credit_transactions) entry
        WHERE balance_after <> before + amount
        """,
    ),
    Invariant(
        3,
        "nothing is below zero",
        """
        SELECT format('account %s: balance %s', id, credits) FROM igny8_accounts WHERE credits < 0
        UNION ALL
        SELECT format('ledger row %s: balance_after %s', id, balance_after) FROM igny8_credit_transactions
        WHERE balance_after < 0
        UNION ALL
        SELECT format('grant %s: remaining %s of %s', id, remaining, amount) FROM igny8_credit_grants
        WHERE remaining < 0 OR remaining > amount
        UNION ALL
        SELECT format('payment %s: amount %s, refunded %s', id, amount, refunded_amount) FROM igny8_payments
        WHERE amount <= 0 OR refunded_amount < 0
        UNION ALL
        SELECT format('invoice %s: total %s', invoice_number, total) FROM igny8_invoices
        WHERE subtotal < 0 OR tax < 0 OR total <= 0
        """,
    ),
    Invariant(
        4,
        "every paid invoice with credits has one grant once its period began, and every such grant has a paid invoice",
        """
        WITH granted AS (
            SELECT granted.id, granted.source, granted.amount, coalesce(invoice.id, payment.invoice_id) AS invoice_id
            FROM igny8_credit_grants granted
            LEFT JOIN igny8_invoices invoice
              ON invoice.account_id = granted.account_id AND granted.source = 'invoice:' || invoice.id
            -- The source before credits followed the invoice.
            LEFT JOIN igny8_payments payment
              ON payment.account_id = granted.account_id AND granted.source = 'payment:' || payment.id
             AND payment.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
            WHERE granted.source LIKE 'invoice:%' OR granted.source LIKE 'payment:%'
        )
        SELECT format('invoice %s: %s grant(s) for %s credits', invoice.invoice_number, count(granted.id), line.credits)
        FROM igny8_invoices invoice
        CROSS JOIN LATERAL (
            SELECT credits::bigint * quantity AS credits FROM igny8_invoice_lines
            WHERE invoice_id = invoice.id AND credits > 0
        ) line
        LEFT JOIN granted ON granted.invoice_id = invoice.id
        -- The credits of a renewal that was paid early come with its period.
        WHERE invoice.status = 'paid' AND NOT EXISTS (
            SELECT FROM igny8_renewals renewal WHERE renewal.invoice_id = invoice.id AND renewal.status = 'paid')
        GROUP BY invoice.id, line.credits
        HAVING count(granted.id) <> 1 OR count(granted.id) FILTER (WHERE granted.amount = line.credits) <> 1
        UNION ALL
        SELECT format('grant %s: no paid invoice for %s', granted.id, granted.source)
        FROM granted LEFT JOIN igny8_invoices invoice ON invoice.id = granted.invoice_id AND invoice.status = 'paid'
        WHERE invoice.id IS NULL
        """,
    ),
    Invariant(
        5,
        "an invoice is paid exactly when its total is settled, and settled is the sum of its live allocations",
        """
        SELECT format('invoice %s is %s: total %s, settled %s, live allocations of its currency %s',
                      invoice.invoice_number, invoice.status, invoice.total, invoice.settled_amount, live.amount)
        FROM igny8_invoices invoice
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS amount, count(*) FILTER (
                                WHERE allocation.currency <> invoice.currency) AS foreign_ones
                            FROM igny8_allocations allocation
                            WHERE allocation.invoice_id = invoice.id AND released_at IS NULL) live
        WHERE (invoice.status = 'paid') <> (invoice.settled_amount = invoice.total)
           OR invoice.settled_amount <> live.amount OR live.foreign_ones > 0
        UNION ALL
        SELECT format('allocation %s is %s %s, its payment %s %s', allocation.id, allocation.amount,
                      allocation.currency, payment.amount, payment.currency)
        FROM igny8_allocations allocation JOIN igny8_payments payment ON payment.id = allocation.payment_id
        WHERE allocation.currency <> payment.currency OR allocation.amount > payment.amount
        """,
    ),
    Invariant(
        6,
        "void and draft invoices hold no money",
        """
        SELECT format('invoice %s is %s with %s settled', invoice_number, status, settled_amount) FROM igny8_invoices
        WHERE status IN ('void', 'draft') AND settled_amount <> 0
        UNION ALL
        SELECT format('invoice %s is %s with allocation %s', invoice.invoice_number, invoice.status, allocation.id)
        FROM igny8_invoices invoice JOIN igny8_allocations allocation ON allocation.invoice_id = invoice.id
        WHERE invoice.status IN ('void', 'draft') AND allocation.released_at IS NULL
        UNION ALL
        SELECT format('invoice %s is %s with captured payment %s', invoice.invoice_number, invoice.status, payment.id)
        FROM igny8_invoices invoice JOIN igny8_payments payment ON payment.invoice_id = invoice.id
        WHERE invoice.status IN ('void', 'draft')
          AND payment.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
        """,
    ),
    Invariant(
        7,
        "no more is refunded than was captured, and what is refunded is what credit notes and ledger say",
        """
        SELECT format('payment %s (%s): refunded %s of %s', id, status, refunded_amount, amount) FROM igny8_payments
        WHERE refunded_amount > amount
           OR (refunded_amount > 0 AND status NOT IN ('partially_refunded', 'refunded', 'disputed'))
           OR (status = 'partially_refunded' AND (refunded_amount = 0 OR refunded_amount = amount))
           OR (status = 'refunded' AND refunded_amount <> amount)
        UNION ALL
        SELECT format('payment %s: refunded %s %s, credit notes over %s', payment.id, payment.refunded_amount,
                      payment.currency, note.total)
        FROM igny8_payments payment
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM igny8_credit_notes
                            WHERE payment_id = payment.id AND currency = payment.currency) note
        WHERE payment.refunded_amount <> note.total
        UNION ALL
        SELECT format('credit note %s: %s credits taken back, ledger %s', note.credit_note_number,
                      note.credits_taken_back, entry.amount)
        FROM igny8_credit_notes note
        LEFT JOIN igny8_credit_transactions entry
          ON entry.account_id = note.account_id AND entry.transaction_type = 'refund'
         AND entry.source = 'credit_note:' || note.credit_note_number
        WHERE note.credits_taken_back <> coalesce(-entry.amount, 0)
        UNION ALL
        SELECT format('payment %s: credit notes count %s credits, %s were granted', note.payment_id, note.credits,
                      granted.amount)
        FROM (SELECT refund.account_id, payment_id, payment.invoice_id,
                     sum(credits_taken_back + credits_not_recovered) AS credits
              FROM igny8_credit_notes refund JOIN igny8_payments payment ON payment.id = payment_id
              GROUP BY refund.account_id, payment_id, payment.invoice_id) note
        LEFT JOIN igny8_credit_grants granted
          ON granted.account_id = note.account_id
         AND granted.source IN ('payment:' || note.payment_id, 'invoice:' || note.invoice_id)
        WHERE note.credits > coalesce(granted.amount, 0)
        """,
    ),
    Invariant(
        23,
        "no more of an invoice is credited than it comes to, and what settles a corrected one is its whole credit note",
        """
        SELECT format('invoice %s: %s credited of %s', invoice.invoice_number, note.total, invoice.total)
        FROM igny8_invoices invoice
        JOIN (SELECT invoice_id, sum(amount) AS total FROM igny8_credit_notes GROUP BY invoice_id) note
          ON note.invoice_id = invoice.id
        WHERE note.total > invoice.total
        UNION ALL
        SELECT format('allocation %s: %s of credit note %s over %s', allocation.id, allocation.amount,
                      note.credit_note_number, note.amount)
        FROM igny8_allocations allocation JOIN igny8_credit_notes note ON note.id = allocation.credit_note_id
        JOIN igny8_invoices invoice ON invoice.id = allocation.invoice_id
        WHERE allocation.amount <> note.amount OR allocation.currency <> note.currency
           OR invoice.replaces_id IS DISTINCT FROM note.invoice_id OR note.account_id <> allocation.account_id
        """,
    ),
    Invariant(
        18,
        "captured money settles its invoice, waits for an operator, or goes back",
        """
        SELECT format('payment %s is %s with %s %s, and settles %s of invoice %s (%s)', payment.id, payment.status,
                      payment.amount, payment.currency, live.amount, invoice.invoice_number, invoice.status)
        FROM igny8_payments payment JOIN igny8_invoices invoice ON invoice.id = payment.invoice_id
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS amount FROM igny8_allocations
                            WHERE payment_id = payment.id AND invoice_id = invoice.id AND released_at IS NULL) live
        WHERE payment.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed') AND NOT payment.needs_review
          AND (live.amount <> payment.amount OR invoice.status <> 'paid')
          AND NOT EXISTS (SELECT FROM igny8_refunds refund WHERE refund.payment_id = payment.id AND refund.is_return
                          AND refund.status <> 'failed')
        """,
    ),
    Invariant(
        19,
        "no webhook message needs review, so nothing at a gateway is missing from our books",
        """
        SELECT format('%s message %s (%s): %s', provider, event_id, type, last_error) FROM igny8_webhook_events
        WHERE state = 'needs_review'
        """,
    ),
]
