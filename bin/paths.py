"""The project's folders and files on this machine."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
# All files that a run writes are in this folder. CI sets IGNY8_VAR to an empty folder. The settings read it too.
VAR = Path(os.environ.get("IGNY8_VAR") or ROOT / "var").resolve()
LOGS = VAR / "log"


def shown(path: Path) -> str:
    """The path to show to people. It is relative if it is inside the project's folder."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def write_private(path: Path, content: str) -> None:
    """Write a file that only this user may read. It is written completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)
