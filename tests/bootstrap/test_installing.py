"""What is seen while packages are installed."""

import sys
from pathlib import Path

import progress
import pytest
from installing import PipWatch, count

from tests.bootstrap.conftest import ROOT

COLLECTING = """Collecting django==5.2.19 (from -r requirements.txt (line 3))
  Downloading django-5.2.19-py3-none-any.whl (8.3 MB)
Requirement already satisfied: pip in somewhere
Collecting celery==5.7.0 (from -r requirements.txt (line 9))
"""


def test_packages_are_counted_while_they_are_fetched_and_while_they_are_installed(tmp_path: Path) -> None:
    (tmp_path / "pip-24.0.dist-info").mkdir()
    watch = PipWatch(tmp_path, wanted=98)

    assert watch.state("") == "asking the index"
    assert watch.state(COLLECTING) == "3 of 98 packages fetched (celery)"
    chosen = f"{COLLECTING}Installing collected packages: django, celery\n"
    assert watch.state(chosen) == "0 of 2 packages installed"
    (tmp_path / "django-5.2.19.dist-info").mkdir()
    assert watch.state(chosen) == "1 of 2 packages installed"


def test_the_packages_of_a_requirements_file_are_counted() -> None:
    text = "# made by uv\none==1 \\\n    --hash=sha256:00\ntwo==2 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"

    assert count(text) == 1
    assert count((ROOT / "requirements.txt").read_text()) > 50


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
    seen: list[str] = []
    waits = "import sys, time; print('one', flush=True); sys.stdin.read(); time.sleep(1)"

    progress.run_watched([sys.executable, "-c", waits], advice="", cwd=tmp_path, watch=seen.append)
    assert "one\n" in seen

    with pytest.raises(progress.Stop, match=r"(?s)no such package.*ended with code 3\. Check the network"):
        progress.run_watched(
            [sys.executable, "-c", "print('no such package'); raise SystemExit(3)"],
            advice="Check the network.",
            cwd=tmp_path,
            watch=seen.append,
        )
