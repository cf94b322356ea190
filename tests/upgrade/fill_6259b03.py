"""Makes the dump of a database that commit 6259b03 filled, its invariants and what its API answered, all anew:

    DATABASE_URL=postgresql://postgres@127.0.0.1:5432/igny8_fill .venv/bin/python tests/upgrade/fill_6259b03.py

It takes that commit from git into a folder of its own, tells story_6259b03 to its services and to the stand-ins for the
gateways in a new database of that name (one that is there is refused), and writes dump_6259b03.sql.gz,
answers_6259b03.json.gz and invariants_6259b03.json here; zcat shows the first two. Needs the packages that the commit
needs (its requirements-dev.txt), and pg_dump, which restoring does not. Two runs write the same bytes.
"""

import gzip
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg2

COMMIT = "6259b03"
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DUMP = HERE / f"dump_{COMMIT}.sql.gz"
INVARIANTS = HERE / f"invariants_{COMMIT}.json"
ANSWERS = HERE / f"answers_{COMMIT}.json.gz"
# Commands for psql, which nobody restores with, and the version of the server that happened to be there.
NOT_RESTORED = re.compile(r"^(\\(un)?restrict|-- Dumped) .*\n", re.MULTILINE)


def main() -> None:
    """Fill, dump, ask."""
    url = os.environ["DATABASE_URL"]
    on_server(url, "CREATE DATABASE {name}")
    try:
        with TemporaryDirectory(prefix="igny8-old-code-") as folder:
            code = Path(folder) / "code"
            git("worktree", "add", "--detach", str(code), COMMIT)
            try:
                run(code, url, "-m", f"story_{COMMIT}", str(INVARIANTS))
                DUMP.write_bytes(packed(dumped(url)))
                ANSWERS.write_bytes(packed(run(code, url, str(HERE / "answers.py"))))
            finally:
                git("worktree", "remove", "--force", str(code))
    finally:
        on_server(url, "DROP DATABASE {name}")


def packed(text: str) -> bytes:
    """The same bytes whenever it is done."""
    return gzip.compress(text.encode(), mtime=0)


def dumped(url: str) -> str:
    """Tables, rows and then constraints, as statements that one connection can execute."""
    options = ["--no-owner", "--no-privileges", "--rows-per-insert=1000", f"--dbname={url}"]
    written = subprocess.run(["pg_dump", *options], check=True, capture_output=True, text=True).stdout
    return NOT_RESTORED.sub("", written)


def run(code: Path, url: str, *arguments: str) -> str:
    """What a program prints that runs with the old code and the story on its path."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "igny8_core.settings",
        "EMAIL_URL": "console://",
        "IGNY8_VAR": str(code / "var"),
        "LOG_LEVEL": "CRITICAL",
        "PYTHONPATH": os.pathsep.join([str(code), str(HERE)]),
        "THROTTLING": "off",
    }
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, cwd=code, env=environment, stdout=subprocess.PIPE, text=True).stdout


def git(*arguments: str) -> None:
    """In the repository of this file."""
    subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True)


def on_server(url: str, statement: str) -> None:
    """Run a statement about the database that a URL names, from outside of it."""
    parts = urlsplit(url)
    with closing(psycopg2.connect(parts._replace(path="/postgres").geturl())) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement.format(name=parts.path.lstrip("/")))


if __name__ == "__main__":
    main()
