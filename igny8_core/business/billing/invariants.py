"""What must always be true (docs/domain.md section 7): one query each, which finds the violations."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from igny8_core.business.billing.money_invariants import OF_MONEY, Invariant
from igny8_core.business.billing.renewal_invariants import OF_RENEWALS
from igny8_core.common import clock

EXAMPLES = 5
# How long automatic work may be late.
OVERDUE_AFTER = timedelta(hours=1)
ENDED_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Result:
    """How many violations an invariant has, and a sentence about each of the first few."""

    number: int
    name: str
    violations: int
    examples: list[str]


OTHERS = [
    Invariant(
        8,
        "a live subscription belongs to an account that is not canceled, and no account has two",
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
        WHERE payment.account_id <> note.account_id OR (payment.invoice_id <> note.invoice_id
           -- A payment of an invoice that was corrected is refunded on the one that corrects it.
           AND NOT EXISTS (SELECT FROM igny8_invoices WHERE id = note.invoice_id AND replaces_id IS NOT NULL))
        UNION ALL
        SELECT format('credit note %s: invoice of account %s', note.credit_note_number, invoice.account_id)
        FROM igny8_credit_notes note JOIN igny8_invoices invoice ON invoice.id = note.invoice_id
        WHERE invoice.account_id <> note.account_id
        UNION ALL
        SELECT format('invoice %s: replaces one of account %s', invoice.invoice_number, former.account_id)
        FROM igny8_invoices invoice JOIN igny8_invoices former ON former.id = invoice.replaces_id
        WHERE former.account_id <> invoice.account_id
        UNION ALL
        SELECT format('allocation %s: invoice of account %s, payment of account %s', allocation.id, invoice.account_id,
                      payment.account_id)
        FROM igny8_allocations allocation JOIN igny8_invoices invoice ON invoice.id = allocation.invoice_id
        LEFT JOIN igny8_payments payment ON payment.id = allocation.payment_id
        WHERE invoice.account_id <> allocation.account_id OR payment.account_id <> allocation.account_id
        UNION ALL
        SELECT format('renewal %s: subscription of account %s, invoice of account %s', renewal.id,
                      subscription.account_id, invoice.account_id)
        FROM igny8_renewals renewal JOIN igny8_invoices invoice ON invoice.id = renewal.invoice_id
        JOIN igny8_subscriptions subscription ON subscription.id = renewal.subscription_id
        WHERE invoice.account_id <> renewal.account_id OR subscription.account_id <> renewal.account_id
           OR invoice.subscription_id <> renewal.subscription_id
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
        "every undecided payment or refund is checked on schedule, unless it needs an operator's review",
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
            WHERE payment_method IN ('bank_transfer', 'local_wallet', 'manual')
              AND status IN ('pending_approval', 'failed', 'succeeded', 'partially_refunded', 'refunded')
            UNION ALL
            SELECT 'billing.payment', id::text, status, CASE status
                WHEN 'pending' THEN 'payment.started' WHEN 'processing' THEN 'payment.processing'
                WHEN 'unknown' THEN 'payment.unknown' WHEN 'failed' THEN 'payment.failed'
                WHEN 'canceled' THEN 'payment.canceled' ELSE 'payment.succeeded' END
            FROM igny8_payments WHERE payment_method NOT IN ('bank_transfer', 'local_wallet', 'manual')
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
            WHERE payment_id IS NOT NULL
            UNION ALL
            SELECT 'billing.invoice', invoice_id::text, 'credited', 'invoice.credited' FROM igny8_credit_notes
            WHERE payment_id IS NULL
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
            SELECT 'billing.renewal', id::text, status, 'renewal.' || status FROM igny8_renewals WHERE status <> 'open'
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
        "a disputed payment has a dispute at its gateway, and what a dispute took is a refund of that payment",
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
        20,
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
    Invariant(
        21,
        "an account is past due, or suspended for want of payment, only while a subscription of it is past due",
        """
        SELECT format('account %s is %s without a subscription that is past due', account.id, account.status)
        FROM igny8_accounts account
        WHERE (account.status = 'past_due' OR account.suspended_reason = 'non_payment')
          AND NOT EXISTS (SELECT FROM igny8_subscriptions subscription
                          WHERE subscription.account_id = account.id AND subscription.status = 'past_due')
        """,
    ),
    Invariant(
        22,
        "no step of dunning was taken while a confirmation of its invoice waited",
        """
        SELECT format('invoice %s: day %s was taken while payment %s waited', step.invoice_id, step.stage, payment.id)
        FROM igny8_dunning_steps step JOIN igny8_payments payment ON payment.invoice_id = step.invoice_id
        WHERE payment.payment_method IN ('bank_transfer', 'local_wallet', 'manual')
          -- The clocks of two machines can be apart by less than a minute.
          AND step.taken_at > payment.created_at + interval '1 minute'
          AND (payment.status = 'pending_approval' OR step.taken_at < payment.failed_at - interval '1 minute')
        """,
    ),
]
INVARIANTS = sorted([*OF_MONEY, *OF_RENEWALS, *OTHERS], key=lambda invariant: invariant.number)


def check(invariant: Invariant) -> Result:
    """Run one invariant's query."""
    with connection.cursor() as cursor:
        # The driver reads every % as a parameter, also in LIKE and format().
        sql = invariant.sql.replace("%", "%%").replace("$overdue", "%(overdue)s").replace("$ended", "%(ended)s")
        now = clock.now()
        cursor.execute(sql, {"overdue": now - OVERDUE_AFTER, "ended": now - ENDED_AFTER})
        found = [row[0] for row in cursor.fetchall()]
    return Result(invariant.number, invariant.name, len(found), found[:EXAMPLES])


def check_all() -> Iterator[Result]:
    """Check all invariants, in the order of docs/domain.md section 7."""
    return (check(invariant) for invariant in INVARIANTS)


def broken_invariants() -> list[Result]:
    """The invariants that do not hold; empty if all is well."""
    return [result for result in check_all() if result.violations]
