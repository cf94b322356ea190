"""How long a thread waits for the database: a server that is silent must not hold all threads (FLT-01).

PostgreSQL ends a statement that takes too long by itself (`statement_timeout`, settings.DATABASES). That helps nothing
when the server is stopped, or something between us and it swallows what is sent; only the one who waits can tell then.
psycopg2 waits in `wait`, which gives up some seconds after PostgreSQL should have.
"""

import math
import select
import time
from typing import Any, NoReturn

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import POLL_OK, POLL_READ, STATUS_SETUP

# How much later than PostgreSQL we give up, so that it is usually PostgreSQL that does.
GRACE_SECONDS = 2.0
# After the server was silent once, others of the process wait only so long, until it answers again.
PATIENCE_WHILE_SILENT = 1.0
# How long to connect may take, also without a limit for statements.
CONNECT_SECONDS = 5
GAVE_UP = "the database does not answer"


class _Readers(dict[int, Any]):
    """For each number of a socket what waits until it can be read; made once. select() would end at number 1,023."""

    def __missing__(self, number: int) -> Any:
        reader = select.poll()
        reader.register(number, select.POLLIN)
        return self.setdefault(number, reader)


readers = _Readers()


class Patience:
    """The callback that psycopg2 waits in, with what this process knows about the server."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: how long a statement may take; 0 for without end."""
        self.seconds = seconds + GRACE_SECONDS if seconds else math.inf
        self.is_silent = False
        self._milliseconds = math.ceil(self.seconds * 1000) if seconds else None

    def wait(self, connection: Any) -> None:
        """Wait for a connection or the end of a statement. Raises OperationalError; psycopg2 closes the connection.

        Every statement comes through here, so the usual way is short: one wait, and the answer is there.
        """
        state = connection.poll()
        if state == POLL_OK:
            return
        if state == POLL_READ and not self.is_silent and connection.status != STATUS_SETUP:
            if not readers[connection.fileno()].poll(self._milliseconds):
                self._give_up()
            if connection.poll() == POLL_OK:
                return
        self._wait_in_parts(connection)

    def _wait_in_parts(self, connection: Any) -> None:
        until = time.monotonic() + self._longest(connection)
        while (state := connection.poll()) != POLL_OK:
            poller = select.poll()
            poller.register(connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
            left = until - time.monotonic()
            if left <= 0 or not poller.poll(None if left == math.inf else math.ceil(left * 1000)):
                self._give_up()
        self.is_silent = False

    def _give_up(self) -> NoReturn:
        self.is_silent = True
        raise psycopg2.OperationalError(GAVE_UP)

    def _longest(self, connection: Any) -> float:
        usual = min(self.seconds, CONNECT_SECONDS) if connection.status == STATUS_SETUP else self.seconds
        return min(usual, PATIENCE_WHILE_SILENT) if self.is_silent else usual


def be_patient(seconds: float) -> None:
    """Give up waiting for the database after so many seconds and a little more, in this process; 0 for never."""
    extensions.set_wait_callback(Patience(seconds).wait)
