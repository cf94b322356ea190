"""Pages of plan, invoices, usage and credits of an account with 100,000 invoices and a million operations.

Through the whole stack in this process (middleware, session, view, database, template), without a socket. Counted is
the processor's time of this process, and the time by the clock, which has PostgreSQL's share in it. Prints the plans of
the list's queries.
"""

import statistics
import time
from typing import Any

import bench
import lists
import usage_analytics

GOAL = 100  # milliseconds
INVOICES, OPERATIONS = 100_000, 1_000_000
NUMBER = "202502-00900"
YEAR = "usage of a year"
PAGES = {
    "billing": "/account/billing",
    "billing, open invoices": "/account/billing?status=pending",
    "invoices": "/account/invoices",
    "invoices, 400th page": "/account/invoices?page=400",
    "invoices, oldest first": "/account/invoices?order=oldest",
    "invoices, highest first": "/account/invoices?order=highest",
    "invoices, void": "/account/invoices?status=void",
    "invoices, void, highest": "/account/invoices?status=void&order=highest",
    "invoices, of some days": "/account/invoices?first=2025-02-01&last=2025-02-03",
    "invoices, by number": f"/account/invoices?search={NUMBER}",
    "invoices, no such number": "/account/invoices?search=nothing",
    "usage": "/account/usage",
    YEAR: "/account/usage?first={year}&last={today}",
    "credits": "/account/credits/purchase",
}


def main() -> None:
    setup = bench.prepare(__doc__ or "")
    build()
    worst = 0.0
    browser = signed_in()
    for name, address in PAGES.items():
        worst = max(worst, measure(browser, name, dated(address), max(5, setup.repeats)))
    for zone in usage_analytics.ZONES:
        in_zone(zone)
        worst = max(worst, measure(browser, f"usage of a year, {zone}", dated(PAGES[YEAR]), max(5, setup.repeats)))
    explain()
    print(f"The slowest median is {worst:.0f} ms, goal {GOAL} ms: {'reached' if worst < GOAL else 'MISSED'}")
    if worst >= GOAL:
        raise SystemExit(1)


def build(invoices: int = INVOICES, operations: int = OPERATIONS) -> None:
    """One account with all of it, and as much of others."""
    lists.ROWS, usage_analytics.ROWS = 2 * invoices, operations
    from django.db import connection

    from igny8_core.auth.models import Account, AccountStatus
    from igny8_core.business.billing.services.credits.rollup import sum_up_usage

    bench.make_accounts(range(1, lists.ACCOUNTS + 1))
    Account.objects.update(status=AccountStatus.ACTIVE, payment_method="bank_transfer", billing_country="PK")
    with connection.cursor() as cursor:
        cursor.execute(lists.INVOICES, {"largest": lists.LARGEST, "accounts": lists.ACCOUNTS, "rows": lists.ROWS})
        cursor.execute(lists.LINES)
        cursor.execute(lists.PAYMENTS)
        cursor.execute(usage_analytics.FILL, {"account": lists.LARGEST, "others": 19, "rows": operations})
    sum_up_usage()
    bench.analyze()


def signed_in() -> Any:
    """A browser in which the owner of the account is signed in."""
    from django.test import Client

    from igny8_core.auth.models import User
    from igny8_core.auth.services.page_sessions import open_page_session

    browser = Client(SERVER_NAME="localhost")
    browser.cookies["session"] = open_page_session(User.objects.get(pk=lists.LARGEST))
    return browser


def in_zone(name: str) -> None:
    """Move the account to a time zone."""
    from igny8_core.auth.models import Account

    Account.objects.filter(pk=lists.LARGEST).update(timezone=name)


def dated(address: str) -> str:
    """The address with the days that it names."""
    from datetime import timedelta

    from igny8_core.common import clock

    today = clock.today()
    return address.replace("{today}", f"{today}").replace("{year}", f"{today - timedelta(days=365)}")


def measure(browser: Any, name: str, address: str, repeats: int) -> float:
    """Print the page's line; its median of processor time, in milliseconds."""
    clock, processor = [], []
    for attempt in range(repeats + 1):
        began, used = time.perf_counter(), time.process_time()
        answer = browser.get(address)
        if attempt:  # the first one warms up
            clock.append((time.perf_counter() - began) * 1000)
            processor.append((time.process_time() - used) * 1000)
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.status_code}")
    took = statistics.median(processor)
    print(
        f"{name:<33} {took:>4.0f} ms of processor time, {statistics.median(clock):>5.0f} ms by the clock",
        flush=True,
    )
    return took


def explain() -> None:
    """Print how PostgreSQL finds the rows of a list."""
    from django.db import connection

    from igny8_core.auth.models import Account
    from igny8_core.business.billing.invoice_search import Order, Wanted, wanted_keys

    account = Account.objects.get(pk=lists.LARGEST)
    for wanted in (
        Wanted(),
        Wanted(status="void"),
        Wanted(status="void", order=Order.HIGHEST),
        Wanted(text="nothing"),
    ):
        print(f"\n{wanted}")
        sql, parameters = wanted_keys(account, wanted)[:26].query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}", parameters)
            print("\n".join(line for (line,) in cursor.fetchall()))


if __name__ == "__main__":
    main()
