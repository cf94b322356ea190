"""What .ci/run begins with: a clean copy, an empty environment, and the tests as a newcomer runs them."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bootstrap.conftest import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="the copy is made of what git knows")

# Stands in for the stages: notes where it is, what is there and what it was given.
STAGES = """
echo "$1" >"$HOME/copy"; shift
echo "$@" >"$HOME/arguments"
env | cut -d= -f1 | sort >"$HOME/environment"
find . -type f | sort >"$HOME/files"
"""
# What bash itself adds to an empty environment.
BASHS_OWN = {"PWD", "SHLVL", "_", "OLDPWD"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with the real .ci/run, and with work that is not committed."""
    folder = tmp_path / "clone"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    (folder / ".ci" / "stages").write_text(STAGES)
    (folder / ".gitignore").write_text("/.venv/\n")
    (folder / "gone.py").write_text("")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    (folder / "gone.py").unlink()
    (folder / "new file.py").write_text("")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "pyvenv.cfg").write_text("")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    copy = folder / "copy"
    if copy.exists():
        shutil.rmtree(copy.read_text().strip(), ignore_errors=True)


def run(clone: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    caller = {**os.environ, "HOME": str(home), "DATABASE_URL": "postgresql://theirs", "DJANGO_DEBUG": "0"}
    command = ["bash", str(clone / ".ci" / "run"), *arguments]
    return subprocess.run(command, env=caller, cwd=home, capture_output=True, text=True, check=False)


def test_the_stages_get_a_copy_of_the_work_with_nothing_installed_and_nothing_of_the_callers_shell(
    clone: Path, home: Path
) -> None:
    done = run(clone, home, "--quick")

    assert done.returncode == 0, done.stderr
    assert set((home / "environment").read_text().split()) - BASHS_OWN == {"HOME", "LANG", "PATH"}
    assert (home / "files").read_text().splitlines() == ["./.ci/run", "./.ci/stages", "./.gitignore", "./new file.py"]
    assert (home / "arguments").read_text() == "--quick\n"
    assert (home / "copy").read_text().strip() != str(clone)


def test_what_ci_does_not_know_is_refused_with_its_usage(clone: Path, home: Path) -> None:
    done = run(clone, home, "--fast")

    assert done.returncode == 2
    assert ".ci/run --quick" in done.stdout
    assert not (home / "files").exists()


def stages_with(clone: Path, bin_test: str, bin_fuzz: str = "#!/bin/sh\n") -> None:
    """The real stages, with everything that they start replaced by a script."""
    shutil.copy(ROOT / ".ci" / "stages", clone / ".ci" / "stages")
    for name in ("bin/test", "bin/fuzz"):
        (clone / name).parent.mkdir(exist_ok=True)
        (clone / name).write_text(bin_test if name == "bin/test" else bin_fuzz)
        (clone / name).chmod(0o755)
    tools = clone / "tools"
    tools.mkdir()
    for name in ("ruff", "mypy", "lint-imports", "python", "check-jsonschema", "hadolint", "chromium-headless-shell"):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    ci = clone / ".ci" / "stages"
    ci.write_text(ci.read_text().replace("bin=.venv/bin", "bin=$PWD/tools\nPATH=$PWD/tools:$PATH"))


def test_the_first_stage_is_bin_test_and_its_closing_line_is_the_last(clone: Path, home: Path) -> None:
    stages_with(clone, "#!/bin/sh\necho '=== 12 passed, 1 skipped in 3.4s ==='\n")

    done = run(clone, home, "--quick")

    stages = [line for line in done.stdout.splitlines() if line.startswith("--- ")]
    assert done.returncode == 0, done.stdout
    assert stages[0] == "--- tests"
    assert "all stages ok" in done.stdout
    assert done.stdout.splitlines()[-1] == "12 passed, 1 skipped in 3.4s"


@pytest.mark.parametrize(
    ("said", "code", "last"),
    [
        ("2 failed, 10 passed in 3.4s", 1, "2 failed, 10 passed in 3.4s"),
        ("12 passed in 3.4s", 1, "0 passed, 1 failed"),  # ended badly after its closing line
        ("Traceback", 1, "0 passed, 1 failed"),
    ],
)
def test_a_failure_is_in_the_exit_code_and_in_the_last_line(
    clone: Path, home: Path, said: str, code: int, last: str
) -> None:
    stages_with(clone, f"#!/bin/sh\necho '{said}'\nexit {code}\n")

    done = run(clone, home, "--quick")

    assert done.returncode == 1
    assert "failed stage: tests" in done.stdout
    assert done.stdout.splitlines()[-1] == last


def test_what_runs_beside_other_stages_is_shown_whole_and_counts_as_they_do(clone: Path, home: Path) -> None:
    stages_with(clone, "#!/bin/sh\necho '12 passed in 3.4s'\n", "#!/bin/sh\nsleep 1; echo unheard of >&2; exit 3\n")

    done = run(clone, home, "--quick")

    shown = done.stdout[done.stdout.index("--- calls made up") :].splitlines()
    assert done.returncode == 1
    assert shown[1] == "unheard of"
    assert shown[2].startswith("FAILED: calls made up from the API's description (exit code 3")
    assert "failed stage: calls made up from the API's description" in shown
    assert shown[-1] == "0 passed, 1 failed"


def ended(process: int) -> bool:
    """Whether it runs no more; who took it over from its parent may not have asked for its exit code yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.stress
@pytest.mark.parametrize("hears", ["", "trap '' INT; "], ids=["hears Ctrl-C", "does not hear it"])
@pytest.mark.parametrize("stopped", ["test", "fuzz"])
def test_when_it_is_stopped_its_stages_end_and_the_copy_is_removed(
    clone: Path, home: Path, stopped: str, hears: str
) -> None:
    waits = '#!/bin/sh\npwd >"$HOME/copy"; echo $$ >"$HOME/pid"; sleep 900\n'
    stages_with(clone, *((waits,) if stopped == "test" else ("#!/bin/sh\n", waits)))
    ci = clone / ".ci" / "stages"
    ci.write_text(ci.read_text().replace("tries < 600", "tries < 10"))
    process = subprocess.Popen(
        ["bash", "-c", f"{hears}exec bash .ci/run --quick"],
        cwd=clone,
        env={**os.environ, "HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (home / "pid").exists() or not (home / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)

    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)

    assert process.returncode == 1
    assert output.splitlines()[-1] == "0 passed, 1 failed"
    assert not Path((home / "copy").read_text().strip()).exists()
    assert ended(int((home / "pid").read_text()))


def test_without_chromium_it_fails_and_says_why(clone: Path, home: Path) -> None:
    stages_with(clone, "#!/bin/sh\n")
    ci = clone / ".ci" / "stages"
    no_browser = (
        "there_is_a_shell() { false; }\nthere_is_a_chromium() { false; }\nid() { echo 1000; }\n\nif ! need_chromium"
    )
    ci.write_text(ci.read_text().replace("if ! need_chromium", no_browser))

    done = run(clone, home)

    assert done.returncode == 1
    assert "The browser tests need Chromium, which is not installed." in done.stdout
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"
