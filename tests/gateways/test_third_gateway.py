"""A third gateway is a folder of its own and the lines that docs/developers.md prints: done in a copy."""

import ast
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connection

from tests import warm_python
from tests.database import database_url, process_environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GATEWAYS = Path("igny8_core/business/billing/gateways")
PRINTED = re.compile(r"(?m)^--- (\S+)\n +(\S.*)\n\+ *(\S.*)$")


def printed_lines() -> list[tuple[str, str, str]]:
    """File, line that is there, and line that comes after it: as the developers' page prints them."""
    page = (ROOT / "docs" / "developers.md").read_text(encoding="utf-8")
    return PRINTED.findall(page[page.index("## A third gateway") :])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The application with the third gateway."""
    shutil.copytree(ROOT / "igny8_core", tmp_path / "igny8_core", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", tmp_path)
    folder = tmp_path / GATEWAYS / "third"
    shutil.copytree(HERE / "third", folder, ignore=shutil.ignore_patterns("__pycache__", "story.py"))
    for file, after, line in printed_lines():
        path = tmp_path / file
        there = re.compile(rf"(?m)^( *){re.escape(after)}$")
        text, changed = there.subn(lambda found, line=line: f"{found[0]}\n{found[1]}{line}", path.read_text())
        assert changed == 1, (file, after)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def database(django_db_setup: None) -> Iterator[str]:
    """URL of a database of its own, as today's migrations make it."""
    url = urlsplit(database_url())
    name = f"{url.path.lstrip('/')}_third"
    with closing(psycopg2.connect(url._replace(path="/postgres").geturl())) as server:
        server.autocommit = True
        cursor = server.cursor()
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{connection.settings_dict["TEST"]["TEMPLATE"]}"')
        yield url._replace(path=f"/{name}").geturl()
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(copy: Path, database: str, *command: str) -> str:
    environment = process_environment(
        DATABASE_URL=database,
        DJANGO_SETTINGS_MODULE="igny8_core.settings",
        PYTHONPATH=f"{copy}:{ROOT}",
        LOG_LEVEL="CRITICAL",
        THIRD_SECRET="secret of third",
    )
    ended = warm_python.run(*command, environment=environment, folder=copy)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_third_gateway_needs_at_most_four_lines_elsewhere() -> None:
    assert 0 < len(printed_lines()) <= 4
    assert not any(file.startswith(str(GATEWAYS / "third")) for file, _, _ in printed_lines())


@pytest.mark.stress
def test_it_is_paid_told_of_refunded_and_reconciled(copy: Path, database: str) -> None:
    run(copy, database, "manage.py", "makemigrations", "igny8_auth", "billing", "--name", "third", "--verbosity=0")
    run(copy, database, "manage.py", "migrate", "--verbosity=0")

    told = json.loads(run(copy, database, str(HERE / "third" / "story.py")).splitlines()[-1])

    assert told == {
        "begun": ["pending", "approve", True],
        "forged message": [400, "pending", "pending", "0.00"],
        "paid": [200, "succeeded", "paid", "0.00"],
        "cards kept": 0,
        "of that told": ["done"],
        "refunded": ["partially_refunded", "paid", "30.00"],
        "refunded there": [200, "partially_refunded", "paid", "39.00"],
        "refunds": ["30.00 succeeded", "9.00 succeeded"],
        "disputed": [200, ["third", "open"]],
        "reconciled": [["third", "state", True]],
        "healed": ["succeeded", "paid", "0.00"],
        "page": [200, True],
        "broken invariants": [],
    }


# What Stripe alone has: subscriptions that it bills.
BILLED_BY_STRIPE = ("stripe_billing/", "reconciliation/stripe_differences.py", "subscription_service.py")
# Names that the product's documents print; each is one call.
PROMISED_NAMES = re.compile(r"(create|handle)_(stripe|paypal)_\w+")
NAMES = frozenset({"STRIPE", "PAYPAL", "stripe", "paypal", "configured_stripe", "configured_paypal"})


def named_gateways(source: str) -> Iterator[int]:
    """The lines in which code names a gateway, outside of the promised methods."""
    tree = ast.parse(source)
    promised = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and PROMISED_NAMES.fullmatch(node.name)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        words = {getattr(node, attribute, None) for attribute in ("id", "attr", "name", "asname", "arg")}
        words |= {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()
        if node not in promised and words & NAMES:
            yield getattr(node, "lineno", 0)


def test_no_service_names_a_gateway() -> None:
    services = ROOT / "igny8_core/business/billing/services"
    found = [
        f"{path.name}:{line}"
        for path in sorted(services.rglob("*.py"))
        if not str(path.relative_to(services)).startswith(BILLED_BY_STRIPE)
        for line in named_gateways(path.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "x = PaymentMethodType.STRIPE",
        "x = method == 'paypal'",
        "from igny8_core.business.billing.gateways import configured_stripe",
        "def create_paypal_payment(): pass\nx = PAYPAL",
    ],
)
def test_a_service_that_names_one_would_be_found(source: str) -> None:
    assert list(named_gateways(source)) != []
    assert list(named_gateways("def create_stripe_payment():\n    return pay(PaymentMethodType.STRIPE)")) == []


def test_each_role_has_a_file_of_the_same_name_in_every_folder() -> None:
    """What Stripe alone does has files of its own: cards, declined cards, and the subscriptions that it bills."""
    folders = {
        path.name: {file.name for file in path.glob("*.py")} for path in (ROOT / GATEWAYS).iterdir() if path.is_dir()
    }
    folders.pop("__pycache__", None)

    shared = set.intersection(*folders.values())
    assert {"charges.py", "client.py", "errors.py", "handlers.py", "mappers.py", "messages.py", "money.py"} <= shared
    assert {name: files - shared for name, files in folders.items() if files - shared} == {
        "stripe": {"billing.py", "cards.py", "declines.py", "mirrored.py"}
    }
