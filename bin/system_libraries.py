"""The system libraries for PDFs (WeasyPrint needs Pango). Without them everything but PDFs works."""

import ctypes
import os
import platform
import shutil
import subprocess
from pathlib import Path

import progress

DEBIAN_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")
LINUX_LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
MACOS_LIBRARIES = {"libpango-1.0.dylib": "pango", "libpangoft2-1.0.dylib": "pango", "libharfbuzz-subset.dylib": "pango"}
HOMEBREW_FOLDERS = (Path("/opt/homebrew/lib"), Path("/usr/local/lib"))


def missing() -> list[str]:
    """The packages with the missing libraries, by the names of this machine's package manager."""
    if platform.system() == "Darwin":
        absent = {package for name, package in MACOS_LIBRARIES.items() if not _on_macos(name)}
    else:
        absent = {package for name, package in LINUX_LIBRARIES.items() if not _loads(name)}
    return sorted(absent)


def install_missing() -> None:
    """Install missing packages if that needs no password: with apt-get as root, or with Homebrew."""
    packages = missing()
    if not packages:
        return
    if platform.system() == "Darwin" and shutil.which("brew"):
        commands = [["brew", "install", "--quiet", *packages]]
    elif os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
        commands = [install, ["apt-get", "update"], install]
    else:
        return
    with progress.step(f"Installing the system libraries for PDFs ({' '.join(packages)})"):
        for command in commands:
            # First try without the slow `update`, because the package lists may already be there.
            if _succeeds(command) and command[1] == "install":
                return


def report_missing() -> None:
    """Say which libraries are missing and how to install them."""
    packages = missing()
    if packages:
        progress.say(
            f"  No PDFs on this machine yet. Missing: {' '.join(packages)}. To install them: {_advice(packages)}"
        )


def dynamic_loader_environment() -> dict[str, str]:
    """Environment variables that let macOS find Homebrew's libraries. It does not search their folder by itself."""
    if platform.system() != "Darwin":
        return {}
    folders = [str(folder) for folder in HOMEBREW_FOLDERS if folder.is_dir()]
    known = os.environ.get("DYLD_FALLBACK_LIBRARY_PATH")
    return {"DYLD_FALLBACK_LIBRARY_PATH": ":".join([known, *folders] if known else folders)}


def _advice(packages: list[str]) -> str:
    if platform.system() == "Darwin":
        return "brew install pango"
    if shutil.which("apt-get"):
        return f"sudo apt-get install --no-install-recommends {' '.join(packages)}"
    return "install Pango and HarfBuzz with this system's package manager"


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _on_macos(name: str) -> bool:
    return any((folder / name).exists() for folder in HOMEBREW_FOLDERS) or _loads(name)


def _succeeds(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "HOMEBREW_NO_AUTO_UPDATE": "1"}
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, env=environment)
    return done.returncode == 0
