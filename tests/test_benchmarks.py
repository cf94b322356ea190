"""The benchmarks write their rows by SQL of their own, which has to follow the tables."""

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from igny8_core.auth.models import User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import (
    BulkDecisionRow,
    CreditCostConfig,
    CreditUsageLog,
    Invoice,
    InvoiceLine,
    InvoiceOffer,
    Payment,
    Renewal,
)
from igny8_core.business.billing.services.figures.days import sum_up_days
from igny8_core.business.billing.services.renewals import invoicing
from igny8_core.events.models import Delivery

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
pytestmark = pytest.mark.django_db


@pytest.fixture
def bench(defaults: None, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What the benchmarks share, in a transaction of a test, where VACUUM is not allowed."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    shared = importlib.import_module("bench")
    monkeypatch.setattr(shared, "analyze", lambda: None)
    return shared


def test_the_rows_of_the_lists_fit_their_tables(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = importlib.import_module("lists")
    monkeypatch.setattr(lists, "ROWS", 100)

    lists.build()

    assert (Invoice.objects.count(), Payment.objects.count()) == (100, 100)
    assert Invoice.objects.filter(account_id=lists.LARGEST).count() == 50


def test_the_rows_of_usage_fit_their_table(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    usage_analytics = importlib.import_module("usage_analytics")
    monkeypatch.setattr(usage_analytics, "ROWS", 50)

    usage_analytics.build()

    assert CreditUsageLog.objects.count() == 100


@pytest.mark.stress
def test_the_rows_of_the_console_fit_their_tables_and_its_pages_open(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = importlib.import_module("console")
    monkeypatch.setattr(console, "ROWS", 300)
    monkeypatch.setattr(console, "ACCOUNTS", 60)

    console.build()

    operator = console.client_of_operator()
    assert sum_up_days() > 0
    assert operator.get("/admin/").status_code == operator.get(console.ACCOUNT).status_code == 200
    for text in console.SEARCHES:
        assert operator.get("/admin/search/", {"q": text}).status_code == 200, text
    assert len(operator.get("/admin/search/", {"q": "USD 89"}).context["groups"]) == 2


def test_the_pages_of_a_busy_account_open(bench: ModuleType) -> None:
    account_pages = importlib.import_module("account_pages")

    account_pages.build(invoices=30, operations=50)

    browser = account_pages.signed_in()
    for address in account_pages.PAGES.values():
        assert browser.get(account_pages.dated(address)).status_code == 200, address


def test_the_rows_of_the_requests_fit_their_tables(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    specification = importlib.util.spec_from_file_location("benchmark_of_requests", BENCHMARKS / "requests.py")
    assert specification
    assert specification.loader
    requests = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "benchmark_of_requests", requests)
    specification.loader.exec_module(requests)
    monkeypatch.setattr(requests, "INVOICES", 2)
    settings.MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY = 10
    bench.make_accounts([1, 2])

    tokens = requests.build()

    assert len(tokens) == 2
    assert Invoice.objects.count() == 4
    assert json.loads(requests.spend())["operation_type"] in CreditCostConfig.objects.values_list(
        "operation_type", flat=True
    )


def test_renewals_and_their_limit_write_the_same_rows(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    renewals = importlib.import_module("renewals")
    renewals.build(1, 3)
    monkeypatch.setattr(invoicing, "require_no_transaction", lambda: None)
    renewals.warm_up(4)

    renewals.ours(1, 1)
    renewals.limit(2, 2)

    rows = [
        Renewal.objects.filter(subscription=number).values("status", "charge_takes", "declines", "price_change").get()
        | Invoice.objects.filter(subscription=number, status="pending").values("total", "currency", "due_date").get()
        | {"offers": InvoiceOffer.objects.filter(invoice__subscription=number).count()}
        | {"lines": InvoiceLine.objects.filter(invoice__subscription=number).count()}
        | {"deliveries": Delivery.objects.filter(event__account=number).count()}
        for number in (1, 2, 3)
    ]
    assert rows[0] == rows[1] == rows[2]
    assert broken_invariants() == []


def test_an_order_to_approve_and_its_limit_write_the_same_rows(bench: ModuleType) -> None:
    approve, bulk = importlib.import_module("approve"), importlib.import_module("bulk_approve")
    approve.build([1, 2])
    User.objects.create(id=approve.OPERATOR, email="olga@example.com", is_staff=True, is_superuser=True)

    with time_machine.travel(timezone.now(), tick=False):
        bulk.ours([1])
        bulk.limit([2])

    assert approved(1) == approved(2)
    assert broken_invariants() == []


def approved(account: int) -> dict[str, Any]:
    """What an approval has written, without what names the account."""
    own = {"id", "uuid", "name", "slug", "description", "metadata", "manual_reference", "reference_key", "created_at"}
    own |= {"account_id", "invoice_id", "payment_id", "subscription_id", "owner_id", "external_payment_id", "source"}
    own |= {"invoice_number", "object_id", "request_id", "bulk_id", "current_period_end", "expires_at"}
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for table in ("payments", "invoices", "subscriptions", "allocations", "credit_grants", "credit_transactions"):
            cursor.execute(f"SELECT to_jsonb(row) FROM igny8_{table} row WHERE account_id = %s", [account])
            found[table] = [json.loads(row) for (row,) in cursor.fetchall()]
        cursor.execute("SELECT to_jsonb(row) FROM igny8_accounts row WHERE id = %s", [account])
        found["accounts"] = [json.loads(row) for (row,) in cursor.fetchall()]
        cursor.execute("SELECT to_jsonb(row) FROM igny8_events row WHERE account_id = %s ORDER BY id", [account])
        found["events"] = [json.loads(row) for (row,) in cursor.fetchall()]
    for event in found["events"]:
        event["data"] = {name: value for name, value in event["data"].items() if name not in own}
    found |= {name: [{k: v for k, v in row.items() if k not in own} for row in rows] for name, rows in found.items()}
    deliveries = Delivery.objects.filter(event__account=account)
    found["deliveries"] = [*deliveries.values("consumer", "status", "attempts", "next_attempt_at")]
    found["outcomes"] = [*BulkDecisionRow.objects.filter(payment=account).values("result", "outcome", "caution")]
    return found


def test_the_pages_that_are_weighed_open(bench: ModuleType) -> None:
    pages = importlib.import_module("pages")

    looks = pages.build()

    for look in looks.values():
        browser = Client()
        browser.cookies["session"] = look.session
        assert browser.get(look.address).status_code == 200, look.address


def test_the_library_that_a_benchmark_is_named_like_is_found_first() -> None:
    script = "import bench, requests; print(requests.__file__)"

    done = subprocess.run([sys.executable, "-c", script], cwd=BENCHMARKS, capture_output=True, text=True, check=True)

    assert "site-packages" in done.stdout
