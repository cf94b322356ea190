"""The benchmarks write their rows by SQL of their own, which has to follow the tables."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import call_command

from igny8_core.business.billing.models import CreditUsageLog, Invoice, Payment

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
