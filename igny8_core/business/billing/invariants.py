"""What must always be true of accounts and money (domain.md section 7): one query each, which finds the exceptions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from igny8_core.common import clock

EXAMPLES = 5
# How long after its time something that works by itself may still wait.
OVERDUE_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Invariant:
    """`sql` selects one text per violation; none means that the invariant holds. What waits since $overdue is late."""

    number: int
    name: str
    sql: str


@dataclass(frozen=True)
class Result:
    """How many violations there are, and the first few in words."""

    number: int
    name: str
    violations: int
    examples: list[str]


INVARIANTS = [
    Invariant(
        1,
        "the balance of an account is the sum of its ledger, the last balance_after and the sum of its lots",
        """
        SELECT format('account %s: balance %s, ledger %s, last balance_after %s, lots %s',
                      account.id, account.credits, ledger.total, last.balance_after, lots.total)
        FROM igny8_accounts account
        LEFT JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM igny8_credit_transactions
                           WHERE account_id = account.id) ledger ON TRUE
        LEFT JOIN LATERAL (SELECT balance_after FROM igny8_credit_transactions
                           WHERE account_id = account.id ORDER BY id DESC LIMIT 1) last ON TRUE
        LEFT JOIN LATERAL (SELECT coalesce(sum(remaining), 0) AS total FROM igny8_credit_grants
                           WHERE account_id = account.id) lots ON TRUE
        WHERE account.credits <> ledger.total OR account.credits <> coalesce(last.balance_after, 0)
           OR account.credits <> lots.total
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
        SELECT format('lot %s: remaining %s of %s', id, remaining, amount) FROM igny8_credit_grants
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
        "every captured payment that bears credits has exactly one grant, every such grant its payment",
        """
        SELECT format('payment %s: %s grant(s) for %s credits', payment.id, count(lot.id), line.credits)
        FROM igny8_payments payment
        JOIN igny8_invoices invoice ON invoice.id = payment.invoice_id
        CROSS JOIN LATERAL (
            SELECT credits::bigint * quantity AS credits FROM igny8_invoice_lines
            WHERE invoice_id = invoice.id AND credits > 0
        ) line
        LEFT JOIN igny8_credit_grants lot
          ON lot.account_id = payment.account_id AND lot.source = 'payment:' || payment.id AND lot.amount = line.credits
        WHERE payment.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
        GROUP BY payment.id, line.credits HAVING count(lot.id) <> 1
        UNION ALL
        SELECT format('lot %s: no captured payment for %s', lot.id, lot.source)
        FROM igny8_credit_grants lot
        LEFT JOIN igny8_payments payment
          ON payment.account_id = lot.account_id AND lot.source = 'payment:' || payment.id
         AND payment.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
        WHERE lot.source LIKE 'payment:%' AND payment.id IS NULL
        """,
    ),
    Invariant(
        5,
        "an invoice is paid exactly when captured payments of its currency make up its total",
        """
        SELECT format('invoice %s is %s: total %s, captured %s', invoice.invoice_number, invoice.status, invoice.total,
                      coalesce(sum(payment.amount), 0))
        FROM igny8_invoices invoice
        LEFT JOIN igny8_payments payment
          ON payment.invoice_id = invoice.id AND payment.currency = invoice.currency
         AND payment.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
        GROUP BY invoice.id
        HAVING (invoice.status = 'paid') <> (coalesce(sum(payment.amount), 0) = invoice.total)
        """,
    ),
    Invariant(
        6,
        "void and draft invoices hold no money",
        """
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
                      lot.amount)
        FROM (SELECT account_id, payment_id, sum(credits_taken_back + credits_not_recovered) AS credits
              FROM igny8_credit_notes GROUP BY account_id, payment_id) note
        LEFT JOIN igny8_credit_grants lot
          ON lot.account_id = note.account_id AND lot.source = 'payment:' || note.payment_id
        WHERE note.credits > coalesce(lot.amount, 0)
        """,
    ),
    Invariant(
        8,
        "a live subscription has an account that is not canceled, and is its only one",
        """
        SELECT format('account %s (%s): %s live subscription(s)', account.id, account.status, count(*))
        FROM igny8_subscriptions subscription JOIN igny8_accounts account ON account.id = subscription.account_id
        WHERE subscription.status IN ('pending_payment', 'active', 'past_due')
        GROUP BY account.id HAVING count(*) > 1 OR account.status = 'canceled'
        """,
    ),
    Invariant(
        11,
        "numbers of invoices and credit notes are unique and without gaps per account and month",
        """
        WITH document AS (
            SELECT account_id, invoice_number AS number FROM igny8_invoices
            UNION ALL SELECT account_id, credit_note_number FROM igny8_credit_notes
        ), taken AS (
            SELECT account_id, split_part(number, '-', 1) AS series, split_part(number, '-', 3) AS month,
                   count(*) AS documents, max(split_part(number, '-', 4)::bigint) AS highest
            FROM document GROUP BY 1, 2, 3
        )
        SELECT format('account %s, %s %s: numbers up to %s, %s document(s), counter %s', account_id, series, month,
                      taken.highest, taken.documents, counter.last_number)
        FROM taken FULL JOIN igny8_invoice_counters counter USING (account_id, series, month)
        WHERE taken.highest IS DISTINCT FROM taken.documents OR counter.last_number IS DISTINCT FROM taken.highest
        UNION ALL
        SELECT format('number %s: %s times', number, count(*)) FROM document GROUP BY number HAVING count(*) > 1
        """,
    ),
    Invariant(
        12,
        "each account that was not deleted has at least one active owner",
        """
        SELECT format('account %s has no active owner', account.id) FROM igny8_accounts account
        WHERE account.deleted_at IS NULL AND NOT EXISTS (SELECT FROM igny8_users member
                          WHERE member.account_id = account.id AND member.role = 'owner' AND member.is_active)
        """,
    ),
    Invariant(
        13,
        "every reference stays inside one account",
        """
        SELECT format('invoice %s: subscription of account %s', invoice.invoice_number, subscription.account_id)
        FROM igny8_invoices invoice JOIN igny8_subscriptions subscription ON subscription.id = invoice.subscription_id
        WHERE subscription.account_id <> invoice.account_id
        UNION ALL
        SELECT format('payment %s: invoice of account %s', payment.id, invoice.account_id)
        FROM igny8_payments payment JOIN igny8_invoices invoice ON invoice.id = payment.invoice_id
        WHERE invoice.account_id <> payment.account_id
        UNION ALL
        SELECT format('payment %s: proof of account %s', payment.id, proof.account_id)
        FROM igny8_payments payment JOIN igny8_payment_proofs proof ON proof.id = payment.proof_id
        WHERE proof.account_id <> payment.account_id
        UNION ALL
        SELECT format('credit note %s: payment of account %s', note.credit_note_number, payment.account_id)
        FROM igny8_credit_notes note JOIN igny8_payments payment ON payment.id = note.payment_id
        WHERE payment.account_id <> note.account_id OR payment.invoice_id <> note.invoice_id
        UNION ALL
        SELECT format('refund %s: payment of account %s', refund.id, payment.account_id)
        FROM igny8_refunds refund JOIN igny8_payments payment ON payment.id = refund.payment_id
        WHERE payment.account_id <> refund.account_id
        UNION ALL
        SELECT format('dispute %s: payment of account %s', dispute.id, payment.account_id)
        FROM igny8_disputes dispute JOIN igny8_payments payment ON payment.id = dispute.payment_id
        WHERE payment.account_id <> dispute.account_id
        UNION ALL
        SELECT format('account %s: owner %s of account %s', account.id, owner.id, owner.account_id)
        FROM igny8_accounts account JOIN igny8_users owner ON owner.id = account.owner_id
        WHERE owner.account_id IS DISTINCT FROM account.id
        UNION ALL
        SELECT format('site access %s: user %s on a site of account %s', access.id, member.id, site.account_id)
        FROM igny8_site_user_access access
        JOIN igny8_users member ON member.id = access.user_id JOIN igny8_sites site ON site.id = access.site_id
        WHERE member.account_id IS DISTINCT FROM site.account_id
        UNION ALL
        SELECT format('line %s: invoice of account %s', line.id, invoice.account_id)
        FROM igny8_invoice_lines line JOIN igny8_invoices invoice ON invoice.id = line.invoice_id
        WHERE invoice.account_id <> line.account_id
        UNION ALL
        SELECT format('usage %s: site of account %s', usage.id, site.account_id)
        FROM igny8_credit_usage_log usage JOIN igny8_sites site ON site.id = usage.site_id
        WHERE site.account_id <> usage.account_id
        UNION ALL
        SELECT format('invitation %s: site of account %s', invitation.id, site.account_id)
        FROM igny8_team_invitations invitation
        JOIN igny8_team_invitations_sites link ON link.teaminvitation_id = invitation.id
        JOIN igny8_sites site ON site.id = link.site_id
        WHERE site.account_id <> invitation.account_id
        """,
    ),
    Invariant(
        14,
        "no payment or refund stays undecided past its schedule, unless an operator has to look",
        """
        SELECT format('%s payment %s is %s: next check %s', payment_method, id, status, next_check_at)
        FROM igny8_payments
        WHERE status IN ('pending', 'processing', 'unknown') AND NOT needs_review
          AND (next_check_at IS NULL OR next_check_at < $overdue)
        UNION ALL
        SELECT format('refund %s is %s: next check %s', refund.id, refund.status, refund.next_check_at)
        FROM igny8_refunds refund JOIN igny8_payments payment ON payment.id = refund.payment_id
        WHERE refund.status IN ('pending', 'processing', 'unknown') AND NOT payment.needs_review
          AND (refund.next_check_at IS NULL OR refund.next_check_at < $overdue)
        """,
    ),
    Invariant(
        15,
        "no delivery or webhook waits without a next try, or longer than an hour after it",
        """
        SELECT format('delivery %s to %s: next try %s', id, consumer, next_attempt_at) FROM igny8_event_deliveries
        WHERE status = 'waiting' AND (next_attempt_at IS NULL OR next_attempt_at < $overdue)
        UNION ALL
        SELECT format('%s webhook %s: next try %s', provider, event_id, next_attempt_at) FROM igny8_webhook_events
        WHERE state = 'waiting' AND (next_attempt_at IS NULL OR next_attempt_at < $overdue)
        """,
    ),
    Invariant(
        16,
        "every state that money or credits reached has its event",
        """
        SELECT format('%s %s is %s without %s', reached.object_type, reached.id, reached.status, reached.event)
        FROM (
            SELECT 'billing.payment' AS object_type, id::text, status, CASE status
                WHEN 'pending_approval' THEN 'payment.submitted' WHEN 'failed' THEN 'payment.rejected'
                ELSE 'payment.approved' END AS event
            FROM igny8_payments
            WHERE payment_method NOT IN ('stripe', 'paypal')
              AND status IN ('pending_approval', 'failed', 'succeeded', 'partially_refunded', 'refunded')
            UNION ALL
            SELECT 'billing.payment', id::text, status, CASE status
                WHEN 'pending' THEN 'payment.started' WHEN 'processing' THEN 'payment.processing'
                WHEN 'unknown' THEN 'payment.unknown' WHEN 'failed' THEN 'payment.failed'
                WHEN 'canceled' THEN 'payment.canceled' ELSE 'payment.succeeded' END
            FROM igny8_payments WHERE payment_method IN ('stripe', 'paypal')
            UNION ALL
            SELECT 'billing.payment', id::text, 'to review', 'payment.needs_review' FROM igny8_payments
            WHERE needs_review
            UNION ALL
            SELECT 'billing.payment', payment_id::text, 'returned', 'payment.return_ordered' FROM igny8_refunds
            WHERE is_return
            UNION ALL
            SELECT 'billing.payment', payment_id::text, status || ' dispute', CASE status
                WHEN 'won' THEN 'payment.dispute_won' WHEN 'closed' THEN 'payment.dispute_closed'
                -- Losses had no event of their own before disputes had a table.
                ELSE 'payment.disputed' END
            FROM igny8_disputes
            UNION ALL
            SELECT 'billing.refund', id::text, status, CASE status
                WHEN 'pending' THEN 'refund.started' ELSE 'refund.' || status END
            FROM igny8_refunds WHERE NOT (is_return AND status = 'pending')
            UNION ALL
            SELECT 'billing.payment', payment_id::text, 'refunded', 'payment.refunded' FROM igny8_credit_notes
            UNION ALL
            SELECT 'billing.invoice', id::text, status, CASE status
                WHEN 'paid' THEN 'invoice.paid' WHEN 'void' THEN 'invoice.voided' ELSE 'invoice.created' END
            FROM igny8_invoices WHERE status IN ('pending', 'paid', 'void')
            UNION ALL
            SELECT 'igny8_auth.subscription', id::text, status, CASE status
                WHEN 'pending_payment' THEN 'subscription.created' WHEN 'active' THEN 'subscription.activated'
                ELSE 'subscription.' || status END
            FROM igny8_subscriptions
            UNION ALL
            SELECT 'billing.credittransaction', id::text, transaction_type, CASE transaction_type
                WHEN 'usage' THEN 'credits.spent' WHEN 'expiry' THEN 'credits.expired'
                WHEN 'refund' THEN 'credits.taken_back' WHEN 'adjustment' THEN 'credits.adjusted'
                ELSE 'credits.granted' END
            FROM igny8_credit_transactions
        ) reached
        WHERE NOT EXISTS (SELECT FROM igny8_events event WHERE event.object_type = reached.object_type
                          AND event.object_id = reached.id
                          AND (event.type = reached.event
                               OR reached.status = 'adjustment' AND event.type = 'credits.granted'))
        """,
    ),
    Invariant(
        17,
        "a disputed payment has a dispute at its gateway, and what one took is a refund of that payment",
        """
        SELECT format('payment %s is disputed without a dispute', payment.id) FROM igny8_payments payment
        WHERE payment.status = 'disputed'
          AND NOT EXISTS (SELECT FROM igny8_disputes dispute WHERE dispute.payment_id = payment.id)
        UNION ALL
        SELECT format('dispute %s is at %s, its payment %s was made by %s', dispute.id, dispute.gateway, payment.id,
                      payment.payment_method)
        FROM igny8_disputes dispute JOIN igny8_payments payment ON payment.id = dispute.payment_id
        WHERE dispute.gateway <> payment.payment_method
        UNION ALL
        SELECT format('dispute %s: took refund %s of payment %s, %s', dispute.id, refund.id, refund.payment_id,
                      refund.status)
        FROM igny8_disputes dispute JOIN igny8_refunds refund ON refund.id = dispute.refund_id
        WHERE refund.payment_id <> dispute.payment_id OR refund.status <> 'succeeded'
           OR refund.gateway_refund_id <> dispute.gateway_dispute_id
        """,
    ),
    Invariant(
        18,
        "the lines of an invoice add up to its subtotal and tax",
        """
        SELECT format('invoice %s: subtotal %s, tax %s, lines %s and %s', invoice.invoice_number, invoice.subtotal,
                      invoice.tax, line.total, line.tax)
        FROM igny8_invoices invoice
        CROSS JOIN LATERAL (SELECT coalesce(sum(line_total), 0) AS total, coalesce(sum(tax_amount), 0) AS tax
                            FROM igny8_invoice_lines WHERE invoice_id = invoice.id) line
        WHERE invoice.subtotal <> line.total OR invoice.tax <> line.tax
        """,
    ),
]


def check(invariant: Invariant) -> Result:
    """Run one invariant's query."""
    with connection.cursor() as cursor:
        # The driver reads % as the start of a parameter, also that of LIKE and format().
        sql = invariant.sql.replace("%", "%%").replace("$overdue", "%(overdue)s")
        cursor.execute(sql, {"overdue": clock.now() - OVERDUE_AFTER})
        found = [row[0] for row in cursor.fetchall()]
    return Result(invariant.number, invariant.name, len(found), found[:EXAMPLES])


def check_all() -> Iterator[Result]:
    """Check every invariant, in the order of domain.md section 7."""
    return (check(invariant) for invariant in INVARIANTS)


def broken_invariants() -> list[Result]:
    """Those that do not hold; empty when all is well."""
    return [result for result in check_all() if result.violations]
