"""Approving 10,000 selected payments in one order, against set-based SQL that writes the same rows in the same run."""

import argparse
import itertools
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import approve
import bench

PAYMENTS = 10_000
GOAL = 0.25
SET = 1_000  # payments of one set of the limit

# The same rows as an order leaves, written by the database alone. It decides nothing and locks nothing but what it
# writes: no refusal, no other kind than a subscription's first period.
WRITE = [
    """
    CREATE TEMP TABLE draft AS
    SELECT payment.id AS payment_id, payment.account_id, payment.invoice_id, payment.amount, payment.currency,
           payment.payment_method, payment.manual_reference, invoice.invoice_number, invoice.subscription_id,
           line.description, line.credits, line.plan_id, plan.slug, plan.name, plan.billing_cycle,
           line.credits_rollover, line.max_sites, line.max_users, account.status AS account_status
    FROM igny8_payments payment JOIN igny8_invoices invoice ON invoice.id = payment.invoice_id
    JOIN igny8_invoice_lines line ON line.invoice_id = invoice.id JOIN igny8_plans plan ON plan.id = line.plan_id
    JOIN igny8_accounts account ON account.id = payment.account_id
    WHERE payment.id = ANY (%(ids)s) AND payment.status = 'pending_approval' AND invoice.status = 'pending'
    """,
    """
    UPDATE igny8_payments payment
    SET status = 'succeeded', processed_at = %(now)s, approved_by_id = %(by)s, approved_at = %(now)s, admin_notes = ''
    FROM draft WHERE payment.id = draft.payment_id
    """,
    """
    WITH settled AS (
        UPDATE igny8_invoices invoice
        SET settled_amount = invoice.settled_amount + draft.amount, status = 'paid', paid_at = %(now)s
        FROM draft WHERE invoice.id = draft.invoice_id
    )
    INSERT INTO igny8_allocations
        (account_id, invoice_id, payment_id, kind, amount, currency, made_by_id, created_at, release_reason)
    SELECT account_id, invoice_id, payment_id, 'money', amount, currency, %(by)s, %(now)s, '' FROM draft
    """,
    """
    UPDATE igny8_subscriptions subscription
    SET status = 'active', billing_anchor = %(now)s, current_period_start = %(now)s,
        current_period_end = %(now)s::timestamptz + interval '1 month', external_payment_id = manual_reference,
        plan_id = draft.plan_id, terms_price = draft.amount, terms_currency = draft.currency,
        terms_billing_cycle = draft.billing_cycle, terms_credits = draft.credits,
        terms_credits_rollover = draft.credits_rollover, terms_max_sites = draft.max_sites,
        terms_max_users = draft.max_users
    FROM draft WHERE subscription.id = draft.subscription_id
    """,
    """
    CREATE TEMP TABLE entry AS
    WITH credit_grant AS (
        INSERT INTO igny8_credit_grants (account_id, kind, source, amount, remaining, expires_at, created_at)
        SELECT account_id, 'plan', 'invoice:' || invoice_id, credits, credits,
               %(now)s::timestamptz + interval '1 month', %(now)s
        FROM draft
    ), balance AS (
        UPDATE igny8_accounts account
        SET credits = account.credits + draft.credits, status = 'active', suspended_reason = '',
            plan_id = draft.plan_id
        FROM draft WHERE account.id = draft.account_id RETURNING account.id, account.credits
    ), entry AS (
        INSERT INTO igny8_credit_transactions
            (account_id, transaction_type, amount, balance_after, description, source, metadata, created_at)
        SELECT account_id, 'subscription', draft.credits, balance.credits,
               description || ' (' || invoice_number || ')', 'invoice:' || invoice_id,
               jsonb_build_object('invoice_id', invoice_id, 'payment_id', payment_id), %(now)s
        FROM draft JOIN balance ON balance.id = draft.account_id
        RETURNING id, account_id, balance_after
    )
    SELECT * FROM entry
    """,
    """
    WITH told AS (
        SELECT draft.account_id, event.* FROM draft JOIN entry USING (account_id), LATERAL (VALUES
            ('payment.approved', 'billing.payment', payment_id, jsonb_build_object(
                'invoice_id', invoice_id, 'invoice_number', invoice_number, 'amount', round(amount, 2)::text,
                'currency', currency, 'payment_method', payment_method, 'admin_notes', '')),
            ('invoice.paid', 'billing.invoice', invoice_id, jsonb_build_object(
                'invoice_number', invoice_number, 'total', round(amount, 2)::text, 'currency', currency)),
            ('subscription.activated', 'igny8_auth.subscription', subscription_id, jsonb_build_object(
                'plan', slug, 'plan_id', plan_id, 'plan_name', name)),
            ('account.activated', 'igny8_auth.account', draft.account_id, jsonb_build_object(
                'from', account_status, 'plan', slug, 'plan_id', plan_id, 'plan_name', name)),
            ('credits.granted', 'billing.credittransaction', entry.id, jsonb_build_object(
                'amount', credits, 'source', 'invoice:' || invoice_id, 'balance_after', balance_after))
        ) AS event (type, object_type, object_id, data)
    ), event AS (
        INSERT INTO igny8_events
            (type, account_id, object_type, object_id, actor_id, data, request_id, created_at)
        SELECT type, account_id, object_type, object_id::text, %(by)s, data, '', %(now)s FROM told
        RETURNING id, type
    )
    INSERT INTO igny8_event_deliveries (event_id, consumer, status, attempts, next_attempt_at, last_error)
    SELECT id, 'email', 'waiting', 0, %(now)s, '' FROM event WHERE type = 'payment.approved'
    """,
    """
    UPDATE igny8_bulk_decision_rows row SET result = 'done', outcome = 'Account activated.', caution = ''
    FROM draft WHERE row.bulk_id = %(bulk)s AND row.payment_id = draft.payment_id
    """,
    "DROP TABLE entry",
    "DROP TABLE draft",
]


def main() -> None:
    sizes = argparse.ArgumentParser(add_help=False)
    sizes.add_argument("--payments", type=int, default=PAYMENTS, help=f"in an order (default {PAYMENTS:,})")
    options, rest = sizes.parse_known_args()
    sys.argv[1:] = rest
    setup = bench.prepare(__doc__)
    from igny8_core.auth.models import User

    size, runs = options.payments, setup.repeats * 2
    approve.build([*range(1, size * runs + 11)])
    User.objects.create(id=approve.OPERATOR, email="olga@example.com", is_staff=True, is_superuser=True)
    bench.analyze()
    # The first order also prepares the statements.
    ours(range(size * runs + 1, size * runs + 11))
    steps = itertools.count()

    def some() -> range:
        first = next(steps) * size + 1
        return range(first, first + size)

    bench.compare(f"approve {size:,} payments", setup, lambda: ours(some()), lambda: limit(some()), GOAL)
    bench.finish()


def ordered(payments: Sequence[int]) -> Any:
    """An order to approve these payments."""
    from igny8_core.auth.models import User
    from igny8_core.business.billing.models import Decision, Payment
    from igny8_core.business.billing.services.payments.bulk_decisions import Words, order_decision

    operator = User.objects.get(pk=approve.OPERATOR)
    return order_decision(Decision.APPROVE, Words(), operator, list(Payment.objects.filter(pk__in=payments)), {})


def ours(payments: Sequence[int]) -> float:
    """Payments a second of the order that a worker carries out."""
    from igny8_core.business.billing.services.payments.bulk_decisions import carry_out, progress_of

    bulk = ordered(payments)
    started = time.perf_counter()
    carry_out(bulk)
    spent = time.perf_counter() - started
    if progress_of(bulk)["done"] != len(payments):
        raise SystemExit(f"Not all were approved: {progress_of(bulk)}")
    return len(payments) / spent


def limit(payments: Sequence[int]) -> float:
    """Payments a second of the statements, SET at a time, each set in a transaction."""
    from django.db import connection, transaction

    bulk = ordered(payments)
    shared = {"now": datetime.now(UTC), "by": approve.OPERATOR, "bulk": bulk.pk}
    started = time.perf_counter()
    for ids in _batches(payments):
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in WRITE:
                cursor.execute(statement, {**shared, "ids": list(ids)})
    spent = time.perf_counter() - started
    type(bulk).objects.filter(pk=bulk.pk).update(status="done", next_attempt_at=None)
    return len(payments) / spent


def _batches(payments: Sequence[int]) -> list[Sequence[int]]:
    return [payments[begin : begin + SET] for begin in range(0, len(payments), SET)]


if __name__ == "__main__":
    main()
