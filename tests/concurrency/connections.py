"""Races of several test processes share one server, which takes 100 connections when it is set up as it comes."""

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.db import OperationalError, connection

# Four shares of 16 leave room for what the processes hold beside their races.
SHARES, CONNECTIONS_PER_SHARE = 4, 16
PATIENCE = 300  # seconds

_held = 0


@contextlib.contextmanager
def reserved(connections: int) -> Iterator[None]:
    """Wait until as many connections are free for this process, and keep them from the others for the block.

    One block at a time in a process: two processes that hold some and wait for more would wait for each other.

    Raises:
        AssertionError: this process holds some already, asks for more than there are, or waited for five minutes.
    """
    global _held
    wanted = -(-connections // CONNECTIONS_PER_SHARE)
    assert _held == 0, "A race beside the HTTP server of the tests: put it into a module that has no server."
    assert wanted <= SHARES, f"A race of {connections} is more than the server has connections for."
    with contextlib.ExitStack() as files:
        locks = [files.enter_context(_share(number).open("a")) for number in range(SHARES)]
        deadline = time.monotonic() + PATIENCE
        while not _taken(wanted, [lock.fileno() for lock in locks]):
            assert time.monotonic() < deadline, "Other test processes keep the connections of the database server."
            time.sleep(0.05)
        _held = wanted
        try:
            yield
        finally:
            _held = 0


def connect() -> None:
    """Open this thread's connection, or wait until the server has room for one more: not every test reserves its own.

    Raises:
        OperationalError: the server takes none for another reason, or had no room for five minutes.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.ensure_connection()
        except OperationalError as refused:
            if "too many clients" not in str(refused) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _share(number: int) -> Path:
    return Path(tempfile.gettempdir()) / f"igny8-test-connections-{os.getuid()}-{number}"


def _taken(wanted: int, files: list[int]) -> bool:
    """Lock as many of the files as wanted, or none."""
    mine: list[int] = []
    for file in files:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine.append(file)
        if len(mine) == wanted:
            return True
    for file in mine:
        fcntl.flock(file, fcntl.LOCK_UN)
    return False
