"""The renewal run that invoices due subscriptions, against set-based SQL that writes the same rows in the same run.

Three goals: at least 0.15 of the SQL, at most 64 MB of memory over the idle process, and a cost per invoice that grows
by at most half from ten thousand to a million (`--sizes`). The cost is time of the processor, here and in PostgreSQL's
process, which other work on the machine changes less than what the clock says.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import bench

DUE = 100_000
GOAL = 0.15
MEMORY_GOAL = 64  # MB
GROWTH_GOAL = 1.5
SET = 5_000  # invoices of one statement of the limit

# The same rows as the run leaves, written by the database alone. It decides nothing: no lock, bound or price change.
ACCOUNTS = """
    CREATE TEMP TABLE draft AS
    SELECT subscription.id AS subscription_id, subscription.account_id, account.plan_id, plan.name AS plan_name,
           owner.email, account.name, subscription.terms_price AS price, subscription.current_period_end AS start,
           subscription.current_period_end + interval '1 month' AS stop
    FROM igny8_subscriptions subscription JOIN igny8_accounts account ON account.id = subscription.account_id
    JOIN igny8_users owner ON owner.id = account.owner_id JOIN igny8_plans plan ON plan.id = subscription.plan_id
    WHERE subscription.id BETWEEN %(first)s AND %(last)s
"""
WRITE = [
    """
    CREATE TEMP TABLE made AS
    WITH counted AS (
        INSERT INTO igny8_invoice_counters AS counter (account_id, series, month, last_number)
        SELECT account_id, 'INV', %(month)s, 1 FROM draft
        ON CONFLICT (account_id, series, month) DO UPDATE SET last_number = counter.last_number + 1
        RETURNING account_id, last_number
    ), invoice AS (
        INSERT INTO igny8_invoices
            (account_id, subscription_id, invoice_number, status, currency, subtotal, tax, total, invoice_date,
             due_date, void_reason, notes, stripe_invoice_id, metadata, created_at)
        SELECT account_id, subscription_id,
               'INV-' || account_id || '-' || %(month)s || '-' || lpad(last_number::text, 4, '0'), 'pending', 'USD',
               price, 0, price, %(now)s::timestamptz::date, start::date, '', '', '', jsonb_build_object(
                   'billing_snapshot', jsonb_build_object(
                       'email', email, 'name', name, 'address_line1', '', 'address_line2', '', 'city', '', 'state', '',
                       'postal_code', '', 'country', '', 'tax_id', '', 'snapshot_date', %(now)s),
                   'subscription_id', subscription_id), %(now)s
        FROM draft JOIN counted USING (account_id)
        RETURNING id, account_id, subscription_id, invoice_number, total
    )
    SELECT * FROM invoice
    """,
    """
    INSERT INTO igny8_invoice_lines
        (invoice_id, account_id, position, kind, description, quantity, unit_amount, line_total, plan_id,
         billing_cycle, period_start, period_end, credits, credits_rollover, max_sites, max_users)
    SELECT made.id, made.account_id, 1, 'plan',
           plan_name || ' plan, monthly, ' || to_char(start, 'YYYY-MM-DD') || ' to ' || to_char(stop, 'YYYY-MM-DD'), 1,
           price, price, plan_id, 'monthly', start, stop, 1000, FALSE, 1, 2
    FROM made JOIN draft USING (subscription_id)
    """,
    """
    INSERT INTO igny8_renewals
        (account_id, subscription_id, invoice_id, period_start, period_end, status, next_charge_at, charge_takes,
         declines, last_decline, created_at)
    SELECT made.account_id, subscription_id, made.id, start, stop, 'open', start, 0, 0, '', %(now)s
    FROM made JOIN draft USING (subscription_id)
    """,
    """
    INSERT INTO igny8_invoice_offers
        (invoice_id, payment_method, payee_version_id, position, country_code, display_name, config_id)
    SELECT made.id, payment_method, payee_version_id, row_number() OVER (PARTITION BY made.id ORDER BY sort_order),
           country_code, display_name, config.id
    FROM made CROSS JOIN igny8_payment_method_config config
    WHERE country_code = '*' AND (payment_method IN ('stripe', 'paypal') OR payee_version_id IS NOT NULL)
    """,
    """
    WITH event AS (
        INSERT INTO igny8_events (type, account_id, object_type, object_id, data, request_id, created_at)
        SELECT 'invoice.created', account_id, 'billing.invoice', id::text, jsonb_build_object(
                   'invoice_number', invoice_number, 'total', total, 'currency', 'USD'), '', %(now)s FROM made
        RETURNING id
    )
    INSERT INTO igny8_event_deliveries (event_id, consumer, status, attempts, next_attempt_at, last_error)
    SELECT id, 'email', 'waiting', 0, %(now)s, '' FROM event
    """,
    "DROP TABLE made",
    "DROP TABLE draft",
]

# What a subscription of before has: an invoice with its line, here a void one, and the events. Into empty tables the
# database would plan its triggers' queries as if they stayed empty.
PAST = [
    """
    INSERT INTO igny8_invoice_counters (account_id, series, month, last_number)
    SELECT id, 'INV', '202001', 1 FROM generate_series(%(first)s, %(last)s) AS id
    """,
    """
    WITH invoice AS (
        INSERT INTO igny8_invoices
            (account_id, subscription_id, invoice_number, status, currency, subtotal, tax, total, invoice_date,
             due_date, void_reason, notes, stripe_invoice_id, metadata, created_at)
        SELECT id, id, 'INV-' || id || '-202001-0001', 'void', 'USD', 89, 0, 89, '2020-01-01', '2020-01-08', 'Old', '',
               '', '{}', '2020-01-01'
        FROM generate_series(%(first)s, %(last)s) AS id RETURNING id, account_id
    ), line AS (
        INSERT INTO igny8_invoice_lines
            (invoice_id, account_id, position, kind, description, quantity, unit_amount, line_total, plan_id,
             billing_cycle, credits, credits_rollover)
        SELECT id, account_id, 1, 'plan', 'Starter plan, monthly', 1, 89, 89, %(plan)s, 'monthly', 1000, FALSE
        FROM invoice
    )
    INSERT INTO igny8_events (type, account_id, object_type, object_id, data, request_id, created_at)
    SELECT 'invoice.voided', account_id, 'billing.invoice', id::text, '{}', '', %(now)s FROM invoice
    """,
    """
    INSERT INTO igny8_events (type, account_id, object_type, object_id, data, request_id, created_at)
    SELECT 'subscription.activated', id, 'igny8_auth.subscription', id::text, '{}', '', %(now)s
    FROM generate_series(%(first)s, %(last)s) AS id
    """,
]


def main() -> None:
    sizes = argparse.ArgumentParser(add_help=False)
    sizes.add_argument("--due", type=int, default=DUE, help=f"subscriptions that are due in a run (default {DUE:,})")
    sizes.add_argument(
        "--sizes", default="10000,100000", help="sizes for the cost per invoice, with commas; empty: none"
    )
    options, rest = sizes.parse_known_args()
    sys.argv[1:] = rest
    setup = bench.prepare(__doc__)
    due, runs = options.due, setup.repeats * 2
    build(1, due * (runs + 1))
    bench.analyze()
    # The first run also creates the versions of bank details and prepares the statements.
    warm_up(due * (runs + 1) + 1)
    halves = iter(range(runs))

    def first(step: int) -> int:
        return step * due + 1

    bench.compare(
        f"renewals of {due:,} subscriptions",
        setup,
        lambda: ours(first(next(halves)), due),
        lambda: limit(first(next(halves)), due),
        GOAL,
    )
    make_due(first(runs), due)
    say_memory(due, run_alone())
    costs(options.sizes)
    bench.finish()


def costs(sizes: str) -> None:
    """What an invoice costs in a run of each size, and the memory of that run; each begins with empty tables."""
    found = []
    for size in (int(text) for text in sizes.split(",") if text):
        bench.empty_database()
        build(1, size)
        bench.analyze()
        warm_up(size + 1)
        make_due(1, size)
        run = run_alone()
        found.append(1_000_000 * (run.ours + run.database) / size)
        say_memory(size, run)
        print(
            f"{size:,} renewals: {found[-1]:,.0f} µs of the processor an invoice, {1_000_000 * run.ours / size:,.0f} "
            f"of them ours and the rest PostgreSQL's; {1_000_000 * run.clock / size:,.0f} µs by the clock",
            flush=True,
        )
    if len(found) > 1:
        growth = max(found) / found[0]
        verdict = "reached" if growth <= GROWTH_GOAL else "MISSED"
        print(f"cost against the smallest size: {growth:.2f} x, goal {GROWTH_GOAL} {verdict}")


def say_memory(size: int, run: "Run") -> None:
    """Print how much more memory a run needed than the process had before it."""
    verdict = "reached" if run.memory <= MEMORY_GOAL else "MISSED"
    print(f"memory of a run of {size:,} over idle: {run.memory:.0f} MB, goal {MEMORY_GOAL} {verdict}", flush=True)


def ours(first: int, count: int) -> float:
    """Invoices a second of the run, for subscriptions from `first` on, which it makes due."""
    from igny8_core.business.billing.services.renewals.invoicing import invoice_due_renewals

    make_due(first, count)
    started = time.perf_counter()
    made = invoice_due_renewals()
    spent = time.perf_counter() - started
    if made != count:
        raise SystemExit(f"{made} of {count} renewals were made.")
    return count / spent


def limit(first: int, count: int) -> float:
    """Invoices a second of the statements, SET at a time, each set in a transaction."""
    from django.db import connection, transaction

    make_due(first, count)
    now, started = datetime.now(UTC), time.perf_counter()
    for begin in range(first, first + count, SET):
        last = min(begin + SET, first + count) - 1
        shared = {"first": begin, "last": last, "now": now, "month": f"{now:%Y%m}"}
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in (ACCOUNTS, *WRITE):
                cursor.execute(statement, shared)
    return count / (time.perf_counter() - started)


def make_due(first: int, count: int) -> None:
    """Let the periods of these subscriptions end in three days."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE igny8_subscriptions SET current_period_end = %s WHERE id BETWEEN %s AND %s",
            [datetime.now(UTC) + timedelta(days=3), first, first + count - 1],
        )


def warm_up(first: int) -> None:
    build(first, 10)
    ours(first, 10)


@dataclass(frozen=True)
class Run:
    """What a run took: most memory over idle in MB; seconds of our and of PostgreSQL's process, and by the clock.

    A database that is not a process of this machine that we may look at counts no seconds.
    """

    memory: float
    ours: float
    database: float
    clock: float


# A process of its own: what building has used and given back would hide what the run uses.
ALONE = """
import json, os, re, time
import django
from django.conf import settings
settings.DEBUG = False
django.setup()
from django.db import connection
from igny8_core.business.billing.services.renewals.invoicing import invoice_due_renewals
def megabytes(name):
    with open("/proc/self/status") as status:
        return int(re.search(name + r":\\s+([0-9]+) kB", status.read())[1]) / 1024
def of_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [number] = cursor.fetchone()
    try:
        with open(f"/proc/{number}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
begun = of_database(), time.process_time(), time.perf_counter()
idle = megabytes("VmRSS")
assert invoice_due_renewals() > 0
ended = time.process_time(), time.perf_counter()
memory = megabytes("VmHWM") - idle
print(json.dumps([memory, ended[0] - begun[1], of_database() - begun[0], ended[1] - begun[2]]))
"""


def run_alone() -> Run:
    """Invoice what is due in a new process, and measure it."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        cwd=bench.ROOT,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The run failed:\n{done.stderr[-2000:]}")
    return Run(*json.loads(done.stdout))


def build(first: int, count: int) -> None:
    """Active subscriptions with these ids, whose periods end in 60 days, each with an account of the same id."""
    from django.db import connection

    from igny8_core.auth.models import Plan

    started, now = time.monotonic(), datetime.now(UTC)
    plan = Plan.objects.get(slug="starter")
    for begin in range(first, first + count, 20_000):
        last = min(begin + 20_000, first + count) - 1
        bench.make_accounts(range(begin, last + 1))
        with connection.cursor() as cursor:
            cursor.execute("UPDATE igny8_accounts SET status = 'active' WHERE id BETWEEN %s AND %s", [begin, last])
            cursor.execute(
                """
                INSERT INTO igny8_subscriptions
                    (id, account_id, plan_id, status, current_period_start, current_period_end, billing_anchor,
                     cancel_at_period_end, terms_price, terms_currency, terms_billing_cycle, terms_credits,
                     terms_credits_rollover, terms_max_sites, terms_max_users, external_payment_id,
                     stripe_subscription_id, billing_driver, created_at)
                SELECT id, id, %(plan)s, 'active', %(start)s, %(end)s, %(start)s, FALSE, 89, 'USD', 'monthly', 1000,
                       FALSE, 1, 2, '', '', 'local', %(start)s
                FROM generate_series(%(first)s, %(last)s) AS id
                """,
                {"plan": plan.pk, "start": now, "end": now + timedelta(days=60), "first": begin, "last": last},
            )
            for statement in PAST:
                cursor.execute(statement, {"plan": plan.pk, "now": now, "first": begin, "last": last})
    print(f"{count:,} subscriptions built in {time.monotonic() - started:.0f} s.", flush=True)


if __name__ == "__main__":
    main()
