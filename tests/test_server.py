"""How the web server starts: one configuration for all, and a process that takes requests only when it is warm."""

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.test import RequestFactory
from django.urls import get_resolver
from gunicorn.config import Config
from gunicorn.http import RequestParser
from gunicorn.http.wsgi import create

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


class _Socket:
    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 80)


@pytest.mark.parametrize(
    "header", ["SCRIPT_NAME: /api/v1", "PATH_INFO: /admin/", "Script-Name: /api/v1", "X-Forwarded-Prefix: /api/v1"]
)
def test_no_header_of_a_proxy_says_where_the_site_begins(header: str) -> None:
    """gunicorn believes two such headers of a proxy on this machine, which may have them from anybody (AUT-17)."""
    config = Config()
    config.set("forwarder_headers", runpy.run_path(str(ROOT / "igny8_core/gunicorn_config.py"))["forwarder_headers"])
    raw = f"GET /api/v1/auth/me/ HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode()
    request = next(RequestParser(config, iter([raw]), ("127.0.0.1", 5000)))

    _, environ = create(request, _Socket(), ("127.0.0.1", 5000), ("127.0.0.1", 80), config)

    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/api/v1/auth/me/")


def test_a_script_name_that_comes_anyway_changes_no_path() -> None:
    environ = RequestFactory()._base_environ(SCRIPT_NAME="/admin", PATH_INFO="/api/v1/auth/me/")

    request = WSGIRequest(environ)

    assert (request.path, request.path_info) == ("/api/v1/auth/me/",) * 2
