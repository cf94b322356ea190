"""The pages of rules say what the code does: states, invariants, limits, layers, and six ways through the code."""

import ast
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from bin import draw_layers
from igny8_core.auth.models import ACCOUNT_TRANSITIONS, SUBSCRIPTION_TRANSITIONS
from igny8_core.business.billing.invariants import INVARIANTS
from igny8_core.business.billing.models import (
    DISPUTE_TRANSITIONS,
    INVOICE_TRANSITIONS,
    PAYMENT_TRANSITIONS,
    REFUND_TRANSITIONS,
)
from igny8_core.common.api.bounds import BOUNDS, counted
from igny8_core.common.states import Transitions

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WAYS = ("Register", "Approve", "Card payment", "Webhook", "Refund", "Spend")
STEP = re.compile(r"(?m)^\| `([\w/]+\.py)` \| (`[^|]+`) \| [^|]+ \|$")
PROMISED = {"PaymentService", "InvoiceService", "SubscriptionService", "CreditService"}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def table_after(text: str, mark: str) -> list[list[str]]:
    """The rows of the table that follows a mark, without its head."""
    lines = text.split(f"<!-- {mark} -->\n")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(
    ("mark", "moves"),
    [
        ("account", ACCOUNT_TRANSITIONS),
        ("subscription", SUBSCRIPTION_TRANSITIONS),
        ("invoice", INVOICE_TRANSITIONS),
        ("payment", PAYMENT_TRANSITIONS),
        ("refund", REFUND_TRANSITIONS),
        ("dispute", DISPUTE_TRANSITIONS),
    ],
)
def test_the_tables_of_states_are_those_of_the_code(mark: str, moves: Transitions) -> None:
    written = {
        state.strip("`"): set(re.findall(r"`(\w+)`", targets))
        for state, targets in table_after(page("domain.md"), f"states: {mark}")
    }

    assert written == {str(state): {str(target) for target in targets} for state, targets in moves.items()}


def test_the_invariants_on_the_page_are_those_of_the_code() -> None:
    written = table_after(page("domain.md"), "invariants")

    assert written == [[str(invariant.number), invariant.name] for invariant in INVARIANTS]


def test_the_page_of_limits_is_what_the_code_says() -> None:
    with io.StringIO() as printed:
        call_command("list_limits", stdout=printed)
        text = printed.getvalue()

    assert page("limits.md") == text, "Run: manage.py list_limits > docs/limits.md"


def test_every_rate_is_counted_somewhere() -> None:
    rates = counted()

    assert {rate.scope for rate in rates} == set(settings.RATE_LIMITS)
    assert [rate.scope for rate in rates if not (rate.callers and rate.what)] == []
    assert sum(len(bounds) for bounds in BOUNDS.values()) > 30


def test_every_bound_of_the_settings_is_on_the_page() -> None:
    """A setting that is named as a bound is one that somebody will look for."""
    bounds = {name for name in dir(settings) if re.match(r"MAX_[A-Z_]+$", name)}

    assert len(bounds) == 2
    assert [name for name in bounds if f"`{name}`" not in page("limits.md")] == []


def test_the_picture_of_the_layers_is_drawn_from_the_contracts() -> None:
    drawn = draw_layers.drawn((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    made = "Run: python3 bin/draw_layers.py > docs/images/layers.svg"
    assert (DOCS / "images" / "layers.svg").read_text(encoding="utf-8") == drawn, made
    assert "prefers-color-scheme: dark" in drawn


def test_the_picture_changes_with_a_contract() -> None:
    contracts = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert "holds" in draw_layers.drawn(contracts.replace('"igny8_core.events",\n', '"igny8_core.holds",\n', 1))


def test_the_picture_is_drawn_without_any_package(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(ROOT / "bin" / "draw_layers.py")],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=600,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, (DOCS / "images" / "layers.svg").read_text(encoding="utf-8"))


def steps_of(way: str) -> list[tuple[str, list[str]]]:
    """The files of a way, in their order, each with the functions that are named."""
    text = page("developers.md").split("## Six ways through the code")[1]
    section = re.split(r"(?m)^#{2,3} ", text.split(f"\n### {way}\n")[1])[0]
    return [(path, re.findall(r"`([\w.]+)`", names)) for path, names in STEP.findall(section)]


def defined_in(path: Path) -> set[str]:
    """What a module defines: functions, classes with their methods, and constants."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{method.name}" for method in node.body if isinstance(method, ast.FunctionDef)}
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("way", WAYS)
def test_what_a_way_through_the_code_names_is_there(way: str) -> None:
    steps = steps_of(way)

    assert 3 <= len(steps) <= 8
    assert [path for path, _ in steps if not (ROOT / "igny8_core" / path).is_file()] == []
    assert [
        f"{path}: {name}"
        for path, names in steps
        for name in names
        if name not in defined_in(ROOT / "igny8_core" / path)
    ] == []


def test_approving_reads_in_three_files_and_a_card_payment_in_eight() -> None:
    assert [Path(path).name for path, _ in steps_of("Approve")][:3] == ["payments.py", "offline.py", "settlement.py"]
    assert len(steps_of("Card payment")) <= 8


def test_no_page_names_a_service_class_that_is_gone() -> None:
    """Services are functions; four classes are left, for shells."""
    pages = [ROOT / "README.md", *DOCS.rglob("*.md")]
    named = {name for path in pages for name in re.findall(r"\b[A-Z]\w*Service\b", path.read_text(encoding="utf-8"))}

    assert named == PROMISED
