"""The launcher's modules, importable, each with a folder of its own for run state."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bin"))


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in place of var/, which PostgreSQL's user may enter as it may enter var/ of an open clone."""
    import embedded_postgres
    import processes

    folder = Path(tempfile.mkdtemp(prefix="igny8-bootstrap-"))
    folder.chmod(0o755)
    monkeypatch.setattr(processes, "VAR", folder)
    monkeypatch.setattr(embedded_postgres, "VAR", folder)
    monkeypatch.setattr(embedded_postgres, "LOGS", folder / "log")
    yield folder
    note = folder / "postgres_location"
    if note.exists():
        shutil.rmtree(note.read_text().strip())
    shutil.rmtree(folder)
