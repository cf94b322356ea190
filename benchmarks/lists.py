"""Lists at a million invoices and a million payments: the first and the 1,000th page, for a customer and for staff.

Through the whole stack in this process (middleware, login, view, database, JSON), without a socket.
"""

import json
import logging
import statistics
import time
from typing import Any

import bench

ROWS, ACCOUNTS, LARGEST = 1_000_000, 51, 1
GOAL = 100  # milliseconds
INVOICES = """
    INSERT INTO igny8_invoices (account_id, invoice_number, status, currency, subtotal, tax, total,
                                invoice_date, due_date, paid_at, void_reason, notes, stripe_invoice_id, metadata,
                                created_at, settled_amount)
    SELECT account, format('INV-%%s-%%s-%%s', account, to_char(day, 'YYYYMM'), lpad(number::text, 7, '0')), status,
           'USD', 89, 0, 89, day, day + 7, CASE status WHEN 'paid' THEN day::timestamptz END, '', '', '',
           '{"billing_snapshot": {"email": "billing@example.com", "name": "Account"}}', day::timestamptz,
           CASE status WHEN 'paid' THEN 89 ELSE 0 END
    FROM (SELECT number, (DATE '2025-01-01' + (number / 1500)::int) AS day,
                 CASE WHEN number %% 2 = 0 THEN %(largest)s ELSE 2 + number %% (%(accounts)s - 1) END AS account,
                 CASE WHEN number %% 10 = 0 THEN 'void' WHEN number %% 50 = 1 THEN 'pending' ELSE 'paid' END AS status
          FROM generate_series(1, %(rows)s) AS number) draft
"""
LINES = """
    INSERT INTO igny8_invoice_lines (invoice_id, account_id, position, kind, description, quantity, unit_amount,
                                     line_total, billing_cycle)
    SELECT id, account_id, 1, 'other', 'Starter plan, monthly', 1, 89, 89, '' FROM igny8_invoices
"""
PAYMENTS = """
    INSERT INTO igny8_payments (uuid, account_id, invoice_id, amount, currency, payment_method, status,
        manual_reference, reference_key, reference_fold, payer_name, manual_notes, admin_notes, proof_url, processed_at,
        failure_reason, refunded_amount,
        gateway_object_id, gateway_capture_id, needs_review,
        review_reason, checks, request_key, metadata, created_at)
    SELECT gen_random_uuid(), account_id, id, total, currency, 'bank_transfer',
           CASE status WHEN 'paid' THEN 'succeeded' WHEN 'pending' THEN 'pending_approval' ELSE 'failed' END,
           'BT-' || id, 'bt' || id, 'BT' || id, 'Payer ' || id, '', '', '', paid_at, '', 0, '', '', false,
           '', 0, '', '{}', created_at
    FROM igny8_invoices
"""
CUSTOMER = ["billing/invoices/", "billing/payments/", "billing/invoices/?status=paid"]
STAFF = [
    "admin/invoices/",
    "admin/payments/",
    "admin/invoices/?status=paid",
    "admin/payments/?status=succeeded",
    "admin/payments/?status=pending_approval",
    "admin/invoices/?search=INV-1-202506",
    "admin/payments/?search=INV-1-202506",
    "admin/invoices/?search=INV-1-202505-0200002",
    "admin/payments/?search=INV-1-202505-0200002",
]


def main() -> None:
    setup = bench.prepare(__doc__)
    logging.getLogger("django.request").setLevel(logging.ERROR)  # a page behind the end is 404, and meant to be
    build()
    worst = 0.0
    for kind, addresses in (("customer", CUSTOMER), ("staff", STAFF)):
        client = client_of(kind)
        for address in addresses:
            for page in (1, 1000):
                worst = max(worst, measure(client, kind, address, page, max(5, setup.repeats)))
    print(f"The slowest median is {worst:.0f} ms, goal {GOAL} ms: {'reached' if worst < GOAL else 'MISSED'}")


def build() -> None:
    """Half of the rows belong to one account, the rest to fifty others."""
    from django.db import connection

    bench.make_accounts(range(1, ACCOUNTS + 1))
    with connection.cursor() as cursor:
        cursor.execute(INVOICES, {"largest": LARGEST, "accounts": ACCOUNTS, "rows": ROWS})
        cursor.execute(LINES)
        cursor.execute(PAYMENTS)
    bench.analyze()


def client_of(kind: str) -> Any:
    """A client logged in as the largest account's owner, or as an operator."""
    from rest_framework.test import APIClient

    from igny8_core.auth.models import User
    from igny8_core.auth.services.sessions import open_session

    user = User.objects.get(pk=LARGEST)
    if kind == "staff":
        user = User.objects.create_superuser("operator@example.com", "long and unusual 7", id=ACCOUNTS + 1)
    client = APIClient(SERVER_NAME="localhost")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(user).access}")
    return client


def measure(client: Any, kind: str, address: str, page: int, repeats: int) -> float:
    """Print and return the median milliseconds of a page of 25 rows, or of 404 where the list ends before it."""
    url = f"/api/v1/{address}{'&' if '?' in address else '?'}page={page}"
    took = []
    for attempt in range(repeats + 1):
        started = time.perf_counter()
        response = client.get(url)
        if attempt:  # the first one warms up
            took.append((time.perf_counter() - started) * 1000)
    if response.status_code not in (200, 404):
        raise SystemExit(f"{url}: {response.status_code} {response.content[:300]!r}")
    rows = len(json.loads(response.content).get("data", []))
    median = statistics.median(took)
    print(f"{kind:8} {address:42} page {page:5}: {median:4.0f} ms (slowest {max(took):.0f}), {rows} rows", flush=True)
    return median


if __name__ == "__main__":
    main()
