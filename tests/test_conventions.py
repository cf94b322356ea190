"""House rules that a reviewer would otherwise have to look for: read from the source, not from running it."""

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import call_command

import igny8_core

ROOT = Path(igny8_core.__file__).parent
SOURCES = sorted(path for path in ROOT.rglob("*.py") if "migrations" not in path.relative_to(ROOT).parts)
MAX_LINES = 400
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "misc", "manager", "managers", "base", "common_utils", "tools"}
# JSON numbers are read into floats once, to refuse those that are not finite; nobody counts money with them.
MAY_USE_FLOAT = {"common/api/parsers.py"}
# The database's clock in SQL. `now()` may stand in prose between backticks; SQL has none.
TIME_OF_SQL = re.compile(
    r"(?<!`)\b(now|statement_timestamp|clock_timestamp|transaction_timestamp|timeofday)\s*\(\s*\)"
    r"|\b(current_timestamp|current_date|current_time|localtimestamp)\b",
    re.IGNORECASE,
)
TIME_OF_PYTHON = {
    *("timezone.now", "timezone.localdate", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "auto_now", "auto_now_add"),
}
DOORS = {"api", "admin", "management", "tasks", "webhooks"}
ORM_LOOKUPS = {"filter", "exclude", "get", "annotate", "alias", "aggregate", "order_by", "values", "values_list", "Q"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


@pytest.fixture(scope="module", autouse=True)
def sources_are_parsed_once() -> Iterator[None]:
    """And forgotten afterwards: all of them take some hundred megabytes."""
    yield
    nodes.cache_clear()


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Each call in a file with the last part of the called name."""
    for node in nodes(path):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr, node
            elif isinstance(node.func, ast.Name):
                yield node.func.id, node


def is_door(path: Path) -> bool:
    """A REST door; the admin starts from Django's own querysets by its nature."""
    return not {"api", "webhooks"}.isdisjoint(path.relative_to(ROOT).parts)


def test_the_rules_see_the_whole_source() -> None:
    assert len(SOURCES) > 90
    assert sum(is_door(path) for path in SOURCES) > 15


def test_rows_are_locked_in_locks_modules_only() -> None:
    found = {named(path) for path in SOURCES for name, _ in calls(path) if name == "select_for_update"}

    assert found == {"auth/locks.py", "business/billing/locks.py"}


def test_every_lock_is_evaluated_where_it_is_taken() -> None:
    """A lock query that is returned unevaluated locks nothing (PAY-10)."""
    for path in (ROOT / "auth/locks.py", ROOT / "business/billing/locks.py"):
        for function in (node for node in nodes(path) if isinstance(node, ast.FunctionDef)):
            called = {name for node in ast.walk(function) for name in _called(node)}
            if "select_for_update" in called:
                assert called & {"first", "get", "list"}, f"{named(path)}: {function.name}"
                assert "require_atomic" in called, f"{named(path)}: {function.name}"


def _called(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            return [node.func.attr]
        if isinstance(node.func, ast.Name):
            return [node.func.id]
    return []


def test_doors_reach_rows_through_selectors_only() -> None:
    found = [
        f"{named(path)}:{node.lineno}"
        for path in SOURCES
        if is_door(path)
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}
    ]

    assert found == []


def test_the_contract_on_doors_names_every_door() -> None:
    settings = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["tool"]["importlinter"]
    contract = next(each for each in settings["contracts"] if each["name"] == "Doors import no doors")
    listed = {module.removesuffix(".*") for module in contract["modules"]}
    modules = [path.relative_to(ROOT.parent).with_suffix("").parts for path in SOURCES]
    starts = {".".join(parts[: place + 1]) for parts in modules for place, name in enumerate(parts) if name in DOORS}

    missing = {start for start in starts if not any(f"{start}.".startswith(f"{door}.") for door in listed)}
    assert missing == {"igny8_core.common.api"}  # what doors are built of


def test_what_a_caller_sends_is_never_expanded_into_a_lookup() -> None:
    found = [
        f"{named(path)}:{call.lineno}"
        for path in SOURCES
        if "models" not in path.relative_to(ROOT).parts
        for name, call in calls(path)
        if name in ORM_LOOKUPS and any(keyword.arg is None for keyword in call.keywords)
    ]

    assert found == []


def test_no_module_is_named_after_nothing() -> None:
    found = [named(path) for path in SOURCES if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES]

    assert found == []


def test_money_and_credits_are_never_floats() -> None:
    found = {named(path) for path in SOURCES for name, _ in calls(path) if name == "float"}

    assert found <= MAY_USE_FLOAT


def test_no_model_has_a_float_column() -> None:
    found = [named(path) for path in SOURCES for name, _ in calls(path) if name == "FloatField"]

    assert found == []


def test_no_file_is_longer_than_a_person_reads_at_once() -> None:
    tests = Path(__file__).parent
    files = [*SOURCES, *tests.rglob("*.py")]

    assert {str(path): lines for path in files if (lines := len(path.read_text().splitlines())) > MAX_LINES} == {}


def test_whoever_is_told_to_write_to_us_is_told_the_address() -> None:
    texts = [path for kind in ("py", "html", "txt", "js") for path in ROOT.rglob(f"*.{kind}")]

    assert [named(path) for path in texts if "write to us" in path.read_text(encoding="utf-8").lower()] == []


def test_nothing_marks_data_as_safe_html() -> None:
    found = [f"{named(path)}:{call.lineno}" for path in SOURCES for name, call in calls(path) if name == "mark_safe"]

    assert found == []


def test_no_except_swallows_everything() -> None:
    """A bare `except:` nowhere; `except Exception` in a worker's outermost wrapper, and for captured money."""
    bare, broad = [], set()
    for path in SOURCES:
        for node in nodes(path):
            if isinstance(node, ast.ExceptHandler):
                if node.type is None:
                    bare.append(f"{named(path)}:{node.lineno}")
                elif isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}:
                    broad.add(named(path))

    assert bare == []
    assert broad <= {"common/work_queue.py", "common/health.py", "business/billing/services/payment_states/stranded.py"}


def other_clocks(source: str) -> Iterator[str]:
    """What in a module's source reads the time elsewhere than from common/clock, each as `line: what`."""
    for node in ast.walk(ast.parse(source)):
        for name in _times_read(node):
            yield f"{node.lineno}: {name}"  # type: ignore[attr-defined]


def _times_read(node: ast.AST) -> list[str]:
    match node:
        case ast.Attribute(attr="Now"):
            return ["Now"]
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return [f"{owner}.{name}"] if f"{owner}.{name}" in TIME_OF_PYTHON else []
        case ast.keyword(arg=str(name)) if name in TIME_OF_PYTHON:
            return [name]
        case ast.ImportFrom(module="time", names=names):
            return [f"time.{alias.name}" for alias in names if f"time.{alias.name}" in TIME_OF_PYTHON]
        case ast.ImportFrom(module="django.utils.timezone", names=names):
            return [f"timezone.{alias.name}" for alias in names if f"timezone.{alias.name}" in TIME_OF_PYTHON]
        case ast.ImportFrom(module=str(module), names=names) if module.startswith("django.db"):
            return [alias.name for alias in names if alias.name == "Now"]
        case ast.Constant(value=str(text)):
            return [found[0] for found in TIME_OF_SQL.finditer(text)]
    return []


def test_the_clock_is_the_only_source_of_time() -> None:
    found = [
        f"{named(path)}:{reading}"
        for path in SOURCES
        if path != ROOT / "common/clock.py"
        for reading in other_clocks(path.read_text())
    ]

    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from django.utils import timezone\nat = timezone.now()",
        "from django.utils import timezone\nat = Field(default=timezone.now)",
        "from django.utils.timezone import now",
        "from django.utils.timezone import localdate as day",
        "import django.utils\nat = django.utils.timezone.now()",
        "from datetime import UTC, datetime\nat = datetime.now(UTC)",
        "import datetime\nat = datetime.datetime.utcnow()",
        "from datetime import datetime\nat = datetime.today()",
        "from datetime import date\nday = date.today()",
        "import time\nat = time.time()",
        "import time\ndef wait(clock=time.time_ns): ...",
        "from time import time",
        "at = models.DateTimeField(auto_now=True)",
        "at = models.DateTimeField(auto_now_add=True)",
        "from django.db.models.functions import Now",
        "from django.db.models import functions\nat = functions.Now()",
        "SQL = 'SELECT now()'",
        "SQL = 'UPDATE t SET at = NOW ()'",
        "SQL = f'UPDATE {table} SET at = statement_timestamp() + interval %s'",
        "SQL = 'SELECT clock_timestamp()'",
        "SQL = 'SELECT transaction_timestamp()'",
        "SQL = 'DELETE FROM t WHERE at < CURRENT_TIMESTAMP'",
        "SQL = 'DELETE FROM t WHERE day < current_date'",
    ],
)
def test_every_other_clock_is_noticed(source: str) -> None:
    assert list(other_clocks(source)) != []


def test_durations_and_moments_that_somebody_names_are_no_clock() -> None:
    source = """
        import time
        from igny8_core.common import clock
        started, at = time.monotonic(), clock.now()
        SQL = "UPDATE t SET at = %s WHERE known_now = 1"
        day = timezone.localtime(at)
    """

    assert list(other_clocks(textwrap.dedent(source))) == []


def test_nobody_opens_a_url_by_hand() -> None:
    """Outgoing requests have one client each: Stripe's SDK, and for PayPal two modules with timeouts, fixed hosts."""
    clients = {"requests", "urllib.request", "http.client", "httpx", "aiohttp", "urllib3"}
    found = {
        f"{named(path)}: {imported}"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for imported in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if imported in clients
    }

    assert found == {
        "business/billing/gateways/paypal/client.py: requests",
        "business/billing/gateways/paypal/signature.py: requests",
    }


def test_the_checks_at_every_start_ask_no_database() -> None:
    """The first migration begins with them, and there is no table yet; without its mark a test may not ask one."""
    call_command("check")
