"""Which tests `bin/test` asks, which .ci/run's second run does on another database server, and what comes first.

`bin/test` leaves out what is marked "stress"; the second run does it, whatever it is about, and asks once more what
another server can change.
"""

from itertools import chain, islice

import pytest

# Tests of what is done to rows: locks, races, SQL of our own, ledger and money, and lists with their searches. The
# others use the database as well, but what they promise (who may what, what is refused, mails, pages, documents) is
# decided before it is asked. What is marked "stress" runs on the other server only, wherever it stands.
ABOUT_THE_SERVER = (
    *("tests/billing/", "tests/common/", "tests/concurrency/", "tests/events/", "tests/walk/"),
    *("tests/api/test_idempotency.py", "tests/api/test_credit", "tests/api/test_staff_lists.py"),
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

# Each case asks the server for something else: races, triggers and checks of the database, and SQL of our own. The
# second server is asked all of them, and the first one of each test; of any other test with many cases it is the other
# way round, and the second server is asked half of these tests, another half in each run.
EVERY_CASE = (
    *("tests/concurrency/", "tests/walk/", "tests/billing/test_ledger.py", "tests/billing/test_invoice_lines.py"),
    *("tests/billing/test_invariants.py", "tests/billing/test_gateway_invariants.py", "tests/billing/test_usage"),
)

# What takes long: a whole installation, a browser, generated clients, other releases, simulated weeks, processes that
# are killed step by step, and everybody asking everywhere.
LONG = (
    *("tests/journey/", "_in_browser.py", "tests/web/test_accessibility.py", "tests/clients/"),
    *("tests/upgrade/", "tests/walk/", "tests/simulation/", "tests/gateways/test_third_gateway.py"),
    *("tests/concurrency/test_renewals.py", "tests/concurrency/test_killed_workers.py", "_over_http.py"),
    *("tests/billing/test_payment_checks.py", "tests/webhooks/test_orders.py", "tests/api/test_matrix.py"),
    *("tests/admin/test_console_access.py", "tests/admin/test_no_dead_links.py", "tests/admin/test_roles_act.py"),
)
# Of these a file sets up for all its tests what takes most of their time.
SET_UP_ONCE = ("tests/journey/", "tests/upgrade/")


def is_long(item: pytest.Item) -> bool:
    """Whether the test comes first: what shares one installation or one browser is then done by one process, and nobody
    waits for it at the end.
    """
    return any(part in item.nodeid for part in LONG)


def leave_to_the_second_server(items: list[pytest.Item]) -> None:
    """Mark as "stress" all cases but the first of each test whose every case the second server is asked."""
    begun = set()
    for item in items:
        if _asks_with_each_case(item) and not item.get_closest_marker("stress"):
            test = item.nodeid.partition("[")[0]
            if test in begun:
                item.add_marker(pytest.mark.stress)
            begun.add(test)


def of_the_second_server(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """What the run on the second server asks, in so many equal parts, one for each process to begin with.

    Of what has run on the first server it leaves out what would be the same on this one.
    """
    return _spread(_every_case(items) + _some_once_more(items), processes)


def _every_case(items: list[pytest.Item]) -> list[pytest.Item]:
    return [item for item in items if item.get_closest_marker("stress") or _asks_with_each_case(item)]


def _some_once_more(items: list[pytest.Item]) -> list[pytest.Item]:
    """Every second of the other tests about the server, with one of its cases. The order is drawn for each run."""
    cases: dict[str, pytest.Item] = {}
    for item in items:
        is_another = not item.get_closest_marker("stress") and not _asks_with_each_case(item)
        if is_another and _is_about_the_server(item):
            cases.setdefault(item.nodeid.partition("[")[0], item)
    return [*cases.values()][::2]


def _asks_with_each_case(item: pytest.Item) -> bool:
    return item.nodeid.startswith(EVERY_CASE) and not item.nodeid.startswith(OTHER_PROMISES)


def _spread(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests in an order in which each of the equal parts that processes begin with has its share of long ones."""
    together: dict[str, list[pytest.Item]] = {}
    for item in filter(is_long, items):
        name = item.nodeid.partition("::")[0] if item.nodeid.startswith(SET_UP_ONCE) else item.nodeid
        together.setdefault(name, []).append(item)
    long = [*together.values()]
    others = iter([item for item in items if not is_long(item)])
    spread: list[pytest.Item] = []
    for process in range(processes):
        share = list(chain.from_iterable(long[process::processes]))
        size = (len(items) - len(spread)) // (processes - process)
        spread += [*share, *islice(others, max(0, size - len(share)))]
    return spread


def _is_about_the_server(item: pytest.Item) -> bool:
    uses_database = item.get_closest_marker("django_db") or {"db", "transactional_db"} & {
        *getattr(item, "fixturenames", ())
    }
    return (
        bool(uses_database) and item.nodeid.startswith(ABOUT_THE_SERVER) and not item.nodeid.startswith(OTHER_PROMISES)
    )
