"""The project's folders and files on this machine."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
# The folder for everything that a run leaves behind. CI sets IGNY8_VAR to an empty one; the settings read it too.
VAR = Path(os.environ.get("IGNY8_VAR") or ROOT / "var").resolve()
LOGS = VAR / "log"


def shown(path: Path) -> str:
    """A path for people: relative to the project's folder if it is inside."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def write_private(path: Path, content: str) -> None:
    """Write a file that this user alone may read, completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)
