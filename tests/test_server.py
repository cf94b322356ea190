"""How the web server starts: one configuration for all, and a process that takes requests only when it is warm."""

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.urls import get_resolver

from igny8_core.business.billing.serializers import InvoiceOutput
from igny8_core.common import warming
from igny8_core.common.api import serializers

ROOT = Path(__file__).resolve().parent.parent
CONFIG = "python:igny8_core.gunicorn_config"


@pytest.mark.parametrize(
    "starter", ["Dockerfile", "bin/development_server.py", "tests/concurrency/server.py", "benchmarks/bench.py"]
)
def test_everybody_starts_the_server_with_the_same_configuration(starter: str) -> None:
    text = (ROOT / starter).read_text(encoding="utf-8")

    assert CONFIG in text
    assert "--worker-class" not in text


def test_the_site_is_loaded_before_workers_start() -> None:
    settings = runpy.run_path(str(ROOT / "igny8_core/gunicorn_config.py"))

    assert settings["preload_app"] is True
    assert settings["wsgi_app"] == "igny8_core.wsgi"


@pytest.mark.django_db
def test_warming_loads_addresses_and_serializers_and_asks_the_database_nothing(
    statements: list[str], caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = [".example.com"]
    serializers._fields_of.cache_clear()
    get_resolver().__dict__.pop("url_patterns", None)
    before = len(statements)

    warming.warm(WSGIHandler())

    assert len(statements) == before
    assert "url_patterns" in vars(get_resolver())
    assert serializers._fields_of.cache_info().currsize > 40
    assert InvoiceOutput().fields is InvoiceOutput().fields
    assert caplog.records == []


# The request that warms a process looks at connections that earlier tests may have left open.
@pytest.mark.django_db
def test_the_module_that_the_server_imports_is_warm() -> None:
    import igny8_core.wsgi

    assert igny8_core.wsgi.application
    assert "igny8_core.common.warming" in sys.modules
