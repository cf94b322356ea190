"""Reads the keys of the payment gateways. An incomplete or misplaced set of keys stops the start.

Each gateway reads its keys in its own folder (`settings.py` in business/billing/gateways/…); this is the common part.
"""

import sys
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from igny8_core.settings import environment

FOLDERS = "igny8_core.business.billing.gateways"


def read(name: str, *, debug: bool) -> Any:
    """The keys of the gateway in the folder `name`; None if none are set.

    Raises ImproperlyConfigured naming the variable.
    """
    return import_module(f"{FOLDERS}.{name}.settings").read(debug=debug)


def api_base(name: str, *, debug: bool) -> str:
    """The address of a stand-in for a gateway on this machine, without a slash at its end; empty if none is set.

    Raises ImproperlyConfigured outside DEBUG, and for another machine's address.
    """
    base = environment.text(name).rstrip("/")
    if not base:
        return ""
    if not debug:
        raise ImproperlyConfigured(f"{name} is for tests and demos only: it would send payments elsewhere. Remove it.")
    if urlsplit(base).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ImproperlyConfigured(f"{name} is {base!r}. It must be an address of this machine: http://127.0.0.1:port")
    return base


def refuse_live(name: str, *, live: bool, debug: bool) -> None:
    """Raise ImproperlyConfigured for live keys in development or tests. `name` is the variable."""
    if live and (debug or _is_test_run()):
        raise ImproperlyConfigured(
            f"{name} is for real money, and this is a development or test run. Use the gateway's test keys here."
        )


def _is_test_run() -> bool:
    return "pytest" in sys.modules
