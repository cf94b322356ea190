"""What comments, docstrings and texts cite stands in this repository: pages, their sections, and codes of threats."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
THREATS = ROOT / "docs" / "threats.md"
FOLDERS = ("igny8_core", "tests", "bin", "benchmarks", "fake_gateways", "simulation", "fuzz", ".ci")
KINDS = {".py", ".html", ".txt", ".js", ".css", ".toml", ".ini", ".yml", ".example", ".in", ""}
PAGE = re.compile(r"(?<![\w./-])((?:[\w-]+/)*[\w-]+\.md)\b")
# "docs/domain.md section 4", "docs/domain.md section 4, Renewal", "docs/workflow.md, Paying an invoice"
SECTION = re.compile(r"([\w/-]+\.md) section (\d+(?:\.\d+)*)")
HEADING = re.compile(r"([\w/-]+\.md)(?: section [\d.]+)?, (?![A-Z]{3}-\d)([A-Z][^),:\n]*?)\)")
# "AUT-13", "AUT-10, 11 and 12", "MAS-01 to MAS-07", "PDF-02…05"
CODES = re.compile(r"\b([A-Z]{3})-(\d\d)\b((?:(?:, and |, | and | to |…)(?:[A-Z]{3}-)?\d\d\b)*)")
FURTHER = re.compile(r"(, and |, | and | to |…)(?:([A-Z]{3})-)?(\d\d)\b")
# Codes of other houses than ours, in citations' clothes: encodings.
NO_AREA = {"UTF"}
# In pages of design and in lists of faults, which do not stand here.
CODE_OF_ELSEWHERE = re.compile(
    r"(?<!\w)\((?:faults? )?[A-Z]\d{1,2}(?:(?:, | and )[A-Z]\d{1,2})*\)|\bfaults? [A-Z]\d{1,2}\b"
)


@cache
def texts() -> dict[str, str]:
    """Every file that can cite something, by its path; not this one, which holds offenders."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")] + list(ROOT.glob("*"))
    found = [path for path in files if path.is_file() and path.suffix in KINDS and not _is_made(path)]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in found if path != Path(__file__)}


def _is_made(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return (
        "__pycache__" in parts or "node_modules" in parts or path.suffix == ".gz" or path.name.startswith(".coverage")
    )


def page_of(name: str) -> Path | None:
    """The page that a citation names: from the root, or in docs/."""
    return next((path for path in (ROOT / name, ROOT / "docs" / name) if path.is_file()), None)


@cache
def headings(page: Path) -> list[str]:
    return re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))


def codes_in(text: str) -> set[str]:
    """The codes of threats that a text cites, with those that a range or a list stands for."""
    found = set()
    for area, first, rest in CODES.findall(text):
        if area in NO_AREA:
            continue
        last = int(first)
        found.add(f"{area}-{last:02}")
        for sign, other, number in FURTHER.findall(rest):
            area, begin = other or area, last + 1 if sign in {" to ", "…"} else int(number)
            last = int(number)
            found |= {f"{area}-{code:02}" for code in range(begin, last + 1)}
    return found


@cache
def rows() -> dict[str, list[str]]:
    """The rows of docs/threats.md: each code with the files that hold it."""
    table = re.findall(r"(?m)^\| ([A-Z]{3}-\d\d) \|.*\| ([^|]+) \|$", THREATS.read_text(encoding="utf-8"))
    return {code: re.findall(r"`([^`]+)`", held_by) for code, held_by in table}


def wrong_citations(text: str) -> Iterator[str]:
    """What a text cites that is not there."""
    yield from (name for name in PAGE.findall(text) if page_of(name) is None)
    for name, number in SECTION.findall(text):
        page = page_of(name)
        if page and not any(heading.startswith(f"{number}. ") for heading in headings(page)):
            yield f"{name} section {number}"
    for name, heading in HEADING.findall(text):
        page = page_of(name)
        if page and heading not in headings(page):
            yield f"{name}, {heading}"
    yield from sorted(codes_in(text) - rows().keys())
    yield from (found[0] for found in CODE_OF_ELSEWHERE.finditer(text))


def test_everything_that_is_cited_is_there() -> None:
    wrong = [f"{path}: {citation}" for path, text in texts().items() for citation in wrong_citations(text)]

    assert len(texts()) > 500
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "citation"),
    [
        ("The rule is in docs/nowhere.md.", "docs/nowhere.md"),
        ("Hashed late (faults.md).", "faults.md"),
        ("# see design/domain.md", "design/domain.md"),
        ("(docs/domain.md section 12)", "docs/domain.md section 12"),
        ("(docs/gateways.md section 2.1)", "docs/gateways.md section 2.1"),
        ("(docs/domain.md section 4, Dunning)", "docs/domain.md, Dunning"),
        ("(docs/api.md, Billing)", "docs/api.md, Billing"),
        ("Nobody knows it (AUT-99).", "AUT-99"),
        ("Of no area (XYZ-01).", "XYZ-01"),
        ("A list (AUT-01, 02 and 98).", "AUT-98"),
        ("A range (ROL-13 to ROL-15).", "ROL-15"),
        ("A range (PDF-02…06).", "PDF-06"),
        ("What both doors refuse (M14).", "(M14)"),
        ("An invoice keeps its offers (faults M7 and M13).", "(faults M7 and M13)"),
    ],
)
def test_a_citation_of_what_is_not_there_is_noticed(text: str, citation: str) -> None:
    assert citation in list(wrong_citations(text))


@pytest.mark.parametrize(
    "text",
    [
        "(docs/domain.md section 4, Renewal)",
        "docs/locking.md has the order.",
        "[the API](api.md#refusals)",
        "(docs/threats.md, TEN-16)",
        "(AUT-10, 11, 12, 15, 17)",
        "UTF-16, A4, INV-2-202512-0001, BT-20251208-12345",
    ],
)
def test_a_citation_of_what_is_there_passes(text: str) -> None:
    assert list(wrong_citations(text)) == []


def test_each_threat_is_cited_by_the_files_that_its_row_names() -> None:
    cited: dict[str, set[str]] = defaultdict(set)
    for path, text in texts().items():
        for code in codes_in(text):
            cited[code].add(path.removeprefix("igny8_core/"))

    assert len(rows()) > 90
    assert [code for code, files in rows().items() if not files] == []
    assert {code: missing for code, files in rows().items() if (missing := set(files) - cited[code])} == {}
