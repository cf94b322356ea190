#!/usr/bin/env python3
"""Django's command line, next to a running bin/run or with DATABASE_URL set: python3 manage.py shell."""

import gc
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def use_project_python() -> None:
    """Go on under .venv's Python when this one has no Django, so that `python3 manage.py …` works as it is printed."""
    try:
        import django  # noqa: F401
    except ImportError:
        python = ROOT / ".venv" / "bin" / "python"
        if not python.exists() or Path(sys.prefix).resolve() == python.parent.parent.resolve():
            sys.exit("Django is not installed here. Run bin/run first; it sets everything up.")
        os.execv(python, [str(python), *sys.argv])  # noqa: S606


def share_settings_with_running_server() -> None:
    """Take what bin/run gave its server (debug mode, secret key); whatever is set in the environment wins.

    With DATABASE_URL set, this is not the newcomer's machine, and nothing is taken.
    """
    file = Path(os.environ.get("IGNY8_VAR") or ROOT / "var") / "development.env"
    if file.is_file() and not os.environ.get("DATABASE_URL"):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            os.environ.setdefault(name, value)


def main() -> None:
    """Run the command given on the command line."""
    # What is imported stays. To look through it again and again for garbage takes a sixth of a short command's time.
    gc.set_threshold(50_000, 20, 50)
    use_project_python()
    share_settings_with_running_server()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igny8_core.settings")
    # Whoever types a command sees how long it takes, and a migration takes as long as it does.
    os.environ.setdefault("DATABASE_STATEMENT_SECONDS", "0")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
