"""How packages are shared out to several pips, and their progress, because pip itself prints little."""

import re
from pathlib import Path

COLLECTED = re.compile(r"(?m)^(?:Collecting|Requirement already satisfied:) ([\w.-]+)")
CHOSEN = re.compile(r"(?m)^Installing collected packages: (.+)$")
# A package with its version and hashes, which stand on lines of their own.
PIN = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?:.*\\\n)*.*\n")


def shares(requirements: list[str], number: int) -> list[str]:
    """The packages of the texts of requirements files in so many equal parts, each package in one of them."""
    pins: dict[str, set[str]] = {}
    for found in (found for text in requirements for found in PIN.finditer(text)):
        pins.setdefault(found[1].lower(), set()).add(found[0])
    packages = ["".join(sorted(pins[name])) for name in sorted(pins)]
    return ["".join(packages[share::number]) for share in range(number)]


class PipWatch:
    """Follows some `pip install`, side by side, through what they print and the folder that they install into."""

    def __init__(self, site_packages: Path, wanted: int) -> None:
        """`site_packages` is the folder that they install into. `wanted` is the number of required packages."""
        self.site_packages = site_packages
        self.wanted = wanted
        self.there_before = self._there()

    def state(self, printed: list[str]) -> str:
        """The progress in words, such as "41 of 98 packages fetched (django)". `printed`: by each pip so far."""
        chosen = [found for each in printed for found in CHOSEN.findall(each)]
        if len(chosen) == len(printed):
            of = sum(len(packages.split(",")) for packages in chosen)
            # An upgrade first removes the old version, so the number can fall for a moment.
            return f"{min(max(self._there() - self.there_before, 0), of)} of {of} packages installed"
        collected = [name for each in printed for name in COLLECTED.findall(each)]
        return (
            f"{len(collected)} of {self.wanted} packages fetched ({collected[-1]})" if collected else "asking the index"
        )

    def _there(self) -> int:
        return sum(1 for _ in self.site_packages.glob("*.dist-info"))


def count(requirements: str) -> int:
    """The number of packages in a requirements file, without those for Windows only."""
    pins = re.findall(r"(?m)^[A-Za-z0-9._-]+==.*$", requirements)
    return sum("sys_platform == 'win32'" not in pin for pin in pins)
