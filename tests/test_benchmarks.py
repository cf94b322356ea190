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
from django.core.management import call_command
from django.test import Client

from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import (
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
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What the benchmarks share, in a transaction of a test, where VACUUM is not allowed."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    shared = importlib.import_module("bench")
    monkeypatch.setattr(shared, "analyze", lambda: None)
    call_command("seed_defaults", verbosity=0)
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


def test_the_rows_of_the_console_fit_their_tables_and_its_pages_open(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = importlib.import_module("console")
    monkeypatch.setattr(console, "ROWS", 300)
    monkeypatch.setattr(console, "ACCOUNTS", 60)

    console.build()

    operator = console.client_of_operator()
    assert sum_up_days() > 0
    assert operator.get("/admin/").status_code == 200
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
