"""Fixtures of the races: what must hold after each, and a server with several processes."""

from collections.abc import Iterator

import pytest

from igny8_core.business.billing.invariants import broken_invariants
from tests.concurrency.connections import reserved
from tests.concurrency.server import THREADS, Server


@pytest.fixture
def books_balance(transactional_db: None) -> Iterator[None]:
    """After the test everything that must always be true of accounts and money is true."""
    yield
    assert broken_invariants() == []


@pytest.fixture
def pace(pytestconfig: pytest.Config) -> int:
    """Of so many steps a process is killed before one: before each on the outside database, else before every sixth.

    With which step that begins is drawn, so that each has its turn.
    """
    return 1 if pytestconfig.getoption("--on-this-server") else 6


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The site behind gunicorn, on the database of the tests.

    On a busy machine the last of 32 clients can wait for longer than the 3 s after which the database gives up. That
    has its own test and its own server; here everybody gets a turn.
    """
    log = tmp_path_factory.mktemp("server") / "server.log"
    running = Server(log)
    url = running.environment["DATABASE_URL"]
    # In the address, because libpq does not look at PGOPTIONS when settings.DATABASES has options of its own.
    running.environment["DATABASE_URL"] = f"{url}{'&' if '?' in url else '?'}options=-c%20lock_timeout%3D110s"
    with reserved(THREADS):
        running.start()
        yield running
        running.stop()
