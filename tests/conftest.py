"""What all tests share: the cast, clients that speak HTTP for them, and a database that can be emptied."""

import contextlib
import gc
import importlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from django.core.management import call_command
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck
from rest_framework.test import APIClient

from fake_gateways import paypal_server
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_transport import FakeStripeTransport
from igny8_core.auth.models import Account, Role, User
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.gateways import turnstile
from igny8_core.business.billing.gateways.paypal import client as paypal_client
from igny8_core.business.billing.gateways.paypal.settings import PayPalSettings
from igny8_core.business.billing.gateways.stripe.charges import StripeGateway
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.business.billing.services.proofs import files as proof_files
from igny8_core.common import clock, limit_hits, rate_limits, request_limits
from igny8_core.common.logs import JsonFormatter
from tests import canaries, hidden_queries, make, prepared_database, selection
from tests.concurrency import race
from tests.snapshots import restored

uploads = TemporaryDirectory(prefix="igny8-uploads-")


def pytest_configure() -> None:
    from django.conf import settings

    from igny8_core.settings import environment

    # A hasher for tests: the real one takes 100 ms a password by design.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.THROTTLING = False
    hidden_queries.look_on()
    # On a busy machine everything takes its time; what is promised of time has tests of its own.
    hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis.settings.load_profile("patient")
    proof_files.READER_SECONDS = 300
    # Files go where nobody keeps any, above all not into the bucket that the caller's shell may name.
    os.environ.pop("AWS_STORAGE_BUCKET_NAME", None)
    settings.STORAGES = {**settings.STORAGES, "default": environment.file_storage(Path(uploads.name))}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--on-this-server",
        action="store_true",
        help="only what another database server can change, and what is marked stress (tests/selection.py)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Choose the tests and put them in order (tests/selection.py)."""
    selection.leave_to_the_second_server(items)
    yield
    items.sort(key=lambda item: not selection.is_long(item))
    if config.getoption("--on-this-server"):
        processes = getattr(config, "workerinput", {"workercount": 1})["workercount"]
        chosen = selection.of_the_second_server(items, processes)
        config.hook.pytest_deselected(items=[*{*items} - {*chosen}])
        items[:] = chosen


def pytest_sessionstart(session: pytest.Session) -> None:
    """The database of which several processes take copies is migrated while they collect the tests."""
    options = session.config.option
    if getattr(options, "numprocesses", None) and not options.collectonly:
        threading.Thread(target=prepared_database.migrated_template, daemon=True).start()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Nothing is thrown away while tests are collected: to look for it would take half of the time.

    What was imported and collected stays; to look through it again and again would take some percent of the run.
    """
    gc.disable()
    _compile_a_share(session.config)
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()


def _compile_a_share(config: pytest.Config) -> None:
    """Import the test files, each process first another part of them, which others then find compiled.

    In a new clone each of the processes would otherwise compile all of them, for ten seconds. A file that cannot be
    imported is left to the collection, which says why. Files outside of the package have other names in pytest.
    """
    if not hasattr(config, "workerinput"):
        return
    process, processes = int(config.workerinput["workerid"].removeprefix("gw")), config.workerinput["workercount"]
    folders = [config.rootpath / each for each in config.args if (config.rootpath / each / "__init__.py").exists()]
    files = sorted(chain.from_iterable(folder.rglob("test_*.py") for folder in folders))
    begin = len(files) * process // processes
    for file in files[begin:] + files[:begin]:
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))


def pytest_unconfigure() -> None:
    uploads.cleanup()


@pytest.fixture(scope="session", autouse=True)
def races_may_all_ask_gateways() -> None:
    """Races have more threads than a server, of which half may wait for gateways; test_turnstile.py has that limit."""
    turnstile.PLACES.set_threads(100)


@pytest.fixture(scope="module", autouse=True)
def racers_leave() -> Iterator[None]:
    """Who raced in the tests of one file keeps no connection from those of the next."""
    yield
    race.dismiss()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Each process of the run has a database of its own, copied from one that is migrated already."""
    connection.settings_dict["TEST"]["TEMPLATE"] = prepared_database.migrated_template()
    # Production ends who is idle in a transaction for ten seconds; on a busy machine a test can be, and not know it.
    options = connection.settings_dict["OPTIONS"]
    options["options"] = f"{options.get('options', '')} -c idle_in_transaction_session_timeout=0"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database has all that the template has, and between transactional tests only filled tables are emptied.

    Threads that outlive the tests, as those of the health checks do, lose their connections before it is dropped.
    """
    with django_db_blocker.unblock():
        prepared_database.copy_settings()
    TransactionTestCase._fixture_teardown = prepared_database.empty_tables  # type: ignore[method-assign, assignment]
    yield
    with django_db_blocker.unblock():
        prepared_database.end_other_sessions()


@pytest.fixture
def defaults(db: None) -> None:
    """The five plans, credit packages, payment methods, industries and costs."""
    restored("the defaults", partial(call_command, "seed_defaults", verbosity=0))


@pytest.fixture
def alice(db: None) -> User:
    """Owner of account A, which is active on a plan of two sites."""
    return make.owner(email="alice@example.com")


@pytest.fixture
def account_a(alice: User) -> Account:
    assert alice.account
    return alice.account


@pytest.fixture
def bob(account_a: Account) -> User:
    """Viewer of account A."""
    return make.user(email="bob@example.com", account=account_a, role=Role.VIEWER)


@pytest.fixture
def charlie(db: None) -> User:
    """Owner of account B."""
    return make.owner(email="charlie@example.com")


@pytest.fixture
def olga(db: None) -> User:
    """Platform operator with all permissions."""
    return make.operator(email="olga@example.com")


@pytest.fixture
def console(olga: User, client: Client) -> Client:
    """A browser in which olga, who has all permissions, is logged in to the console."""
    client.force_login(olga)
    return client


@pytest.fixture
def api() -> APIClient:
    """An API client that is not logged in."""
    return APIClient()


@pytest.fixture
def as_user() -> Callable[[User], APIClient]:
    """Make an API client that is logged in as a user."""

    def client(user: User) -> APIClient:
        make.prepared_sessions()
        logged_in = APIClient()
        logged_in.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(user).access}")
        return logged_in

    return client


@pytest.fixture(autouse=True)
def every_test_counts_for_itself() -> Iterator[None]:
    """What a process counts by itself for a while is gone when the next test begins."""
    yield
    request_limits.forget_all()
    limit_hits.forget()


@pytest.fixture
def throttling(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits are on, and all hits of the test fall into one window, also when a minute ends while it runs."""
    settings.THROTTLING = True
    now = clock.now()
    monkeypatch.setattr(rate_limits, "clock", SimpleNamespace(now=lambda: now))


@pytest.fixture
def stripe(settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeStripe:
    """A stand-in for Stripe at the other end of our adapter, in this process."""
    settings.STRIPE = StripeSettings("sk_test_key", "pk_test_key", ("whsec_test",), live=False)
    fake = FakeStripe()
    gateway = StripeGateway(settings.STRIPE, FakeStripeTransport(fake))
    monkeypatch.setattr("igny8_core.business.billing.gateways.stripe.make", lambda keys: gateway)
    return fake


@pytest.fixture
def paypal(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePayPal]:
    """A stand-in for PayPal at the other end of our adapter, on a port of this machine. It is asked again at once."""
    monkeypatch.setattr(paypal_client, "RETRY_PAUSE", 0)
    fake = FakePayPal()
    server = paypal_server.serve(fake)
    settings.PAYPAL = PayPalSettings("fake-client", "fake-secret", fake.webhook_id, live=False, api_base=server.address)
    yield fake
    server.stop()


@pytest.fixture
def undrawn_pdfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are written as ever but laid out on no pages, which takes 50 ms each: for tests that open none."""

    def written(template: str, context: Callable[[], dict[str, Any]]) -> bytes:
        return b"%PDF-" + render_to_string(template, context()).encode()

    monkeypatch.setattr(pdf, "_drawn", written)


@pytest.fixture(autouse=True)
def nothing_is_loaded_unasked_under_an_account_s_lock() -> Iterator[None]:
    """No service loads related rows one by one while all others wait for the account (tests/hidden_queries.py)."""
    with hidden_queries.noticed() as seen, connection.execute_wrapper(seen.note_statement):
        yield
    assert seen.found == []


@pytest.fixture(scope="session", autouse=True)
def log_lines_with_secrets() -> Iterator[list[str]]:
    """The lines of the log that have a secret in them, as handlers write them, which they do anyway."""
    found: list[str] = []
    written = JsonFormatter.format

    def looked_at(formatter: JsonFormatter, record: logging.LogRecord) -> str:
        line = written(formatter, record)
        if canaries.SECRETS.search(line):
            found.append(line)
        return line

    JsonFormatter.format = looked_at  # type: ignore[method-assign]
    yield found
    JsonFormatter.format = written  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def nobody_logs_a_secret(log_lines_with_secrets: list[str]) -> Iterator[None]:
    """No line has a password, a token, a card or a key of those that tests use everywhere (tests/canaries.py)."""
    yield
    lines = log_lines_with_secrets.copy()
    log_lines_with_secrets.clear()
    assert lines == []


@pytest.fixture
def statements(db: None) -> Iterator[list[str]]:
    """SQL statements of the test so far, BEGIN and COMMIT included."""
    seen: list[str] = []

    def note(execute: Callable[..., object], sql: str, *rest: object) -> object:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield seen
