"""Shows the progress of pip, because pip itself prints little."""

import re
from pathlib import Path

COLLECTED = re.compile(r"(?m)^(?:Collecting|Requirement already satisfied:) ([\w.-]+)")
CHOSEN = re.compile(r"(?m)^Installing collected packages: (.+)$")


class PipWatch:
    """Follows one `pip install` through its output and the folder that it installs into."""

    def __init__(self, site_packages: Path, wanted: int) -> None:
        """`site_packages` is the folder that pip installs into. `wanted` is the number of required packages."""
        self.site_packages = site_packages
        self.wanted = wanted
        self.there_before = self._there()

    def state(self, printed: str) -> str:
        """The progress in words, such as "41 of 98 packages fetched (django)"."""
        chosen = CHOSEN.search(printed)
        if chosen:
            of = len(chosen[1].split(","))
            # An upgrade first removes the old version, so the number can fall for a moment.
            return f"{min(max(self._there() - self.there_before, 0), of)} of {of} packages installed"
        collected = COLLECTED.findall(printed)
        return (
            f"{len(collected)} of {self.wanted} packages fetched ({collected[-1]})" if collected else "asking the index"
        )

    def _there(self) -> int:
        return sum(1 for _ in self.site_packages.glob("*.dist-info"))


def count(requirements: str) -> int:
    """The number of packages in a requirements file, without those for Windows only."""
    pins = re.findall(r"(?m)^[A-Za-z0-9._-]+==.*$", requirements)
    return sum("sys_platform == 'win32'" not in pin for pin in pins)
