"""What all tests share: the cast, clients that speak HTTP for them, and a database that can be emptied."""

import gc
import logging
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
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
from tests import canaries, hidden_queries, make, prepared_database
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
        help="only what another database server can change: tests that use the database of the run",
    )


# Tests of what is done to rows: locks, races, SQL of our own, ledger and money, and lists with their searches. The
# others use the database as well, but what they promise (who may what, what is refused, mails, pages, documents) is
# decided before it is asked. What is marked "stress" runs on the other server only, wherever it stands.
ABOUT_THE_SERVER = (
    *("tests/billing/", "tests/common/", "tests/concurrency/", "tests/events/", "tests/walk/"),
    *("tests/api/test_idempotency.py", "tests/api/test_credit", "tests/api/test_staff_lists.py"),
    "tests/test_slow_clients.py",
    *("tests/api/test_staff_invoices.py", "tests/api/test_workflow.py", "tests/api/test_subscriptions.py"),
)
OTHER_PROMISES = (
    *("tests/billing/test_proof", "tests/billing/test_pdf_service.py", "tests/billing/test_refund_documents.py"),
    *("tests/billing/test_notifications.py", "tests/billing/test_mail", "tests/billing/test_present_address.py"),
    *("tests/billing/test_gateway_mails.py", "tests/billing/test_renewal_mails.py", "tests/billing/test_epc_code.py"),
    *("tests/billing/test_subscription_mails.py", "tests/billing/test_scripts_of_pdfs.py"),
    *("tests/billing/test_bombs.py", "tests/billing/test_drawn_pdfs.py", "tests/events/test_mail_server.py"),
    *("tests/billing/test_ledger_words.py", "tests/billing/test_card_warnings.py"),
    # Lines of the log, texts that are signed, shapes of answers, and what the code says of itself: its declared events,
    # and migrations of which Django tells that they send nothing.
    *("tests/common/test_logs.py", "tests/common/test_security_log.py", "tests/common/test_signed_texts.py"),
    *("tests/common/test_exceptions.py", "tests/common/test_output_serializers.py", "tests/events/test_registry.py"),
    "tests/common/test_state_only.py",
    # It counts statements and instructions of Python, which are the same on every server.
    "tests/concurrency/test_cost.py",
)

# Each case asks the server for something else: races, triggers and checks of the database, and SQL of our own. Of any
# other test with many cases one is enough on a second server, each time another.
EVERY_CASE = (
    *("tests/concurrency/", "tests/walk/", "tests/billing/test_ledger.py", "tests/billing/test_invoice_lines.py"),
    *("tests/billing/test_invariants.py", "tests/billing/test_gateway_invariants.py", "tests/billing/test_usage"),
)

# What takes long: a whole installation, a browser, generated clients, other releases, simulated weeks.
LONG = (
    *("tests/journey/", "_in_browser.py", "tests/web/test_accessibility.py", "tests/clients/"),
    *("tests/upgrade/", "tests/walk/", "tests/simulation/"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order and choose the tests.

    What shares one running installation or one browser comes first: one process then has all of it, and nobody waits
    for it at the end. With --on-this-server leave out what has run on another server and would be the same on this one.
    What is left of the long ones shares nothing, so each process begins with some of it.
    """
    items.sort(key=lambda item: not _is_long(item))
    if not config.getoption("--on-this-server"):
        return
    chosen = _one_of_equals([item for item in items if _is_about_the_server(item)])
    ids = {item.nodeid for item in chosen}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in ids])
    items[:] = _spread(chosen, getattr(config, "workerinput", {"workercount": 1})["workercount"])


def _one_of_equals(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests, but of one with many cases only the first, where the order that was drawn for this run puts it."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        has_every_case = item.nodeid.startswith(EVERY_CASE) or item.get_closest_marker("stress")
        tests.setdefault(item.nodeid if has_every_case else item.nodeid.partition("[")[0], []).append(item)
    return [cases[0] for cases in tests.values()]


def _is_long(item: pytest.Item) -> bool:
    return any(part in item.nodeid for part in LONG)


def _spread(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests in an order in which each of the equal parts that processes begin with has its share of long ones."""
    long = [item for item in items if _is_long(item)]
    others = iter([item for item in items if not _is_long(item)])
    spread: list[pytest.Item] = []
    for process in range(processes):
        share = long[process::processes]
        size = (len(items) - len(spread)) // (processes - process)
        spread += [*share, *islice(others, max(0, size - len(share)))]
    return spread


def _is_about_the_server(item: pytest.Item) -> bool:
    uses_database = item.get_closest_marker("django_db") or {"db", "transactional_db"} & {
        *getattr(item, "fixturenames", ())
    }
    is_chosen = item.nodeid.startswith(ABOUT_THE_SERVER) and not item.nodeid.startswith(OTHER_PROMISES)
    return bool(uses_database and is_chosen) or item.get_closest_marker("stress") is not None


def pytest_sessionstart(session: pytest.Session) -> None:
    """The database of which several processes take copies is migrated while they collect the tests."""
    options = session.config.option
    if getattr(options, "numprocesses", None) and not options.collectonly:
        threading.Thread(target=prepared_database.migrated_template, daemon=True).start()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Nothing is thrown away while tests are collected: to look for it would take half of the time.

    What was imported and collected stays; to look through it again and again would take some percent of the run.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()


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
