"""What must always be true of periods and renewals (docs/domain.md 7). invariants.py has the others and checks all."""

from igny8_core.business.billing.money_invariants import Invariant

OF_RENEWALS = [
    Invariant(
        9,
        "no period has ended more than 10 minutes ago without an open renewal, a past-due state or an end",
        """
        SELECT format('subscription %s of account %s: its period ended on %s', subscription.id,
                      subscription.account_id, subscription.current_period_end)
        FROM igny8_subscriptions subscription
        WHERE subscription.status = 'active' AND subscription.billing_driver = 'local' AND subscription.terms_price > 0
          AND subscription.current_period_end < $ended
          AND NOT EXISTS (
              SELECT FROM igny8_renewals renewal JOIN igny8_invoices invoice ON invoice.id = renewal.invoice_id
              WHERE renewal.subscription_id = subscription.id AND renewal.status = 'open'
                AND renewal.period_start = subscription.current_period_end
                AND invoice.status IN ('pending', 'uncollectible'))
        """,
    ),
    Invariant(
        10,
        "the periods of a subscription touch without gap or overlap",
        """
        WITH begun AS (
            SELECT subscription_id, period_start, period_end, lag(period_start) OVER earlier AS start_before,
                   lag(period_end) OVER earlier AS end_before,
                   lead(period_start) OVER earlier IS NULL AS is_newest
            FROM igny8_renewals WHERE status = 'begun'
            WINDOW earlier AS (PARTITION BY subscription_id ORDER BY period_start)
        ), restarted AS (
            -- A change of plan to another cycle begins a new period in the middle of one.
            SELECT invoice.subscription_id, invoice.paid_at
            FROM igny8_invoices invoice JOIN igny8_invoice_lines line ON line.invoice_id = invoice.id
            WHERE line.restarts_period AND invoice.status = 'paid'
        )
        SELECT format('subscription %s: a period ends on %s, the next one begins on %s', subscription_id, end_before,
                      period_start)
        FROM begun
        WHERE end_before <> period_start
          AND (period_start < end_before OR NOT EXISTS (
              SELECT FROM restarted WHERE restarted.subscription_id = begun.subscription_id
                AND restarted.paid_at >= start_before AND restarted.paid_at < period_start))
        UNION ALL
        SELECT format('subscription %s: its period is %s to %s, the last renewal began %s to %s', subscription.id,
                      current_period_start, current_period_end, begun.period_start, begun.period_end)
        FROM begun JOIN igny8_subscriptions subscription ON subscription.id = begun.subscription_id
        WHERE begun.is_newest AND subscription.billing_driver = 'local'
          AND (current_period_start, current_period_end) <> (begun.period_start, begun.period_end)
          AND NOT EXISTS (SELECT FROM restarted WHERE restarted.subscription_id = subscription.id
                          AND restarted.paid_at >= begun.period_start)
        UNION ALL
        SELECT format('subscription %s: its period ends on %s, renewal %s is for one from %s', subscription.id,
                      current_period_end, renewal.id, renewal.period_start)
        FROM igny8_renewals renewal JOIN igny8_subscriptions subscription ON subscription.id = renewal.subscription_id
        WHERE renewal.status IN ('open', 'paid') AND subscription.status IN ('active', 'past_due')
          AND renewal.period_start <> subscription.current_period_end
        """,
    ),
]
