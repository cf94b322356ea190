"""What is seen while packages are installed."""

import re
import sys
import time
from pathlib import Path

import progress
import pytest
from installing import PIN, PipWatch, count, shares

from tests.bootstrap.conftest import ROOT

COLLECTING = """Collecting django==5.2.19 (from -r requirements.txt (line 3))
  Downloading django-5.2.19-py3-none-any.whl (8.3 MB)
Requirement already satisfied: pip in somewhere
Collecting celery==5.7.0 (from -r requirements.txt (line 9))
"""


def test_packages_are_counted_while_they_are_fetched_and_while_they_are_installed(tmp_path: Path) -> None:
    (tmp_path / "pip-24.0.dist-info").mkdir()
    watch = PipWatch(tmp_path, wanted=98)

    assert watch.state(["", ""]) == "asking the index"
    assert watch.state([COLLECTING, ""]) == "3 of 98 packages fetched (celery)"
    chosen = f"{COLLECTING}Installing collected packages: django, celery\n"
    assert watch.state([chosen, "Collecting stripe==15\n"]) == "4 of 98 packages fetched (stripe)"
    both = [chosen, "Installing collected packages: stripe\n"]
    assert watch.state(both) == "0 of 3 packages installed"
    (tmp_path / "django-5.2.19.dist-info").mkdir()
    assert watch.state(both) == "1 of 3 packages installed"


def test_the_packages_of_a_requirements_file_are_counted() -> None:
    text = "# made by uv\none==1 \\\n    --hash=sha256:00\ntwo==2 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"

    assert count(text) == 1
    assert count((ROOT / "requirements.txt").read_text()) > 50


def test_each_package_is_in_one_part_with_its_hashes() -> None:
    files = [(ROOT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt")]
    twice = "one==1 ; os_name == 'nt' \\\n    --hash=sha256:00\none==2 ; os_name != 'nt' \\\n    --hash=sha256:01\n"

    parts = shares(
        [
            *files,
            f"# made by uv\n{twice}    # via two\n",
            "One==1 \\\n    --hash=sha256:00\nthree[all]==3 \\\n    --hash=sha256:02\n",
        ],
        2,
    )

    names = [{found[1].lower() for found in PIN.finditer(part)} for part in parts]
    assert names[0] & names[1] == set()
    # Whatever begins a line of the files is a package, also one with an extra.
    begun = {re.split(r"[=\[]", line)[0].lower() for text in files for line in text.splitlines() if line[:1].isalnum()}
    assert names[0] | names[1] == begun | {"one", "three"}
    assert abs(len(names[0]) - len(names[1])) <= 1
    assert sum(part.count("one==") for part in parts) == 2
    assert all("--hash=sha256:" in found[0] for part in parts for found in PIN.finditer(part))


def test_a_long_step_shows_a_terminal_one_line_that_changes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")

    with progress.long_step("Installing") as show:
        show("3 of 98")
        show("4 of 98, " + "long " * 20)

    lines = capsys.readouterr().out.split("\r\x1b[K")
    assert lines[1] == "  Installing … 3 of 98, 0 s"
    assert max(len(line) for line in lines) < 60
    assert "\n" not in "".join(lines[:-1])
    assert lines[-1].startswith("  Installing: ")


def test_a_long_step_shows_a_pipe_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SPARSE", 1000)
    with progress.long_step("Installing") as show:
        show("3 of 98")
    monkeypatch.setattr(progress, "SPARSE", 0)
    with progress.long_step("Installing more") as show:
        show("4 of 98")

    first, _, second, state, _ = capsys.readouterr().out.splitlines()
    assert (first, second, state) == ("  Installing …", "  Installing more …", "    4 of 98, 0 s")


def test_a_command_is_watched_while_it_runs_and_its_failure_shows_what_it_said(tmp_path: Path) -> None:
    seen: list[list[str]] = []
    waits = "import sys, time; print('one', flush=True); sys.stdin.read(); time.sleep(1)"
    commands = [[sys.executable, "-c", waits], [sys.executable, "-c", waits.replace("one", "two")]]

    progress.run_watched(commands, advice="", cwd=tmp_path, watch=seen.append)
    assert ["one\n", "two\n"] in seen

    begun = time.monotonic()
    with pytest.raises(progress.Stop, match=r"(?s)no such package.*ended with code 3\. Check the network"):
        progress.run_watched(
            [
                [sys.executable, "-c", "import time; time.sleep(600)"],
                [sys.executable, "-c", "print('no such package'); raise SystemExit(3)"],
            ],
            advice="Check the network.",
            cwd=tmp_path,
            watch=seen.append,
        )
    # The other one was ended.
    assert time.monotonic() - begun < 300
