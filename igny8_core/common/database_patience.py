"""How long a thread waits for the database before it gives up: a server that is silent must not hold all threads.

PostgreSQL ends a statement that takes too long by itself (`statement_timeout`, settings.DATABASES). That helps nothing
when the server is stopped, or something between us and it swallows what is sent; only the one who waits can tell then.
psycopg2 waits in `wait`, which gives up some seconds after PostgreSQL should have.
"""

import math
import select
import time
from typing import Any

import psycopg2
from psycopg2 import extensions

# How much later than PostgreSQL we give up, so that it is usually PostgreSQL that does.
GRACE_SECONDS = 3.0
# After the server was silent once, others of the process wait only so long, until it answers again.
PATIENCE_WHILE_SILENT = 1.0
# How long to connect may take, also without a limit for statements.
CONNECT_SECONDS = 5
GAVE_UP = "the database does not answer"


class Patience:
    """The callback that psycopg2 waits in, with what this process knows about the server."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: how long a statement may take; 0 for without end."""
        self.seconds = seconds + GRACE_SECONDS if seconds else math.inf
        self.is_silent = False

    def wait(self, connection: Any) -> None:
        """Wait for a connection or the end of a statement. Raises OperationalError; psycopg2 closes the connection."""
        state = connection.poll()
        if state == extensions.POLL_OK:
            return
        until = time.monotonic() + self._longest(connection)
        while state != extensions.POLL_OK:
            # Above a number of connections, select.select() takes no more; poll() does.
            poller = select.poll()
            poller.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
            left = until - time.monotonic()
            if left <= 0 or not poller.poll(None if left == math.inf else math.ceil(left * 1000)):
                self.is_silent = True
                raise psycopg2.OperationalError(GAVE_UP)
            state = connection.poll()
        self.is_silent = False

    def _longest(self, connection: Any) -> float:
        usual = min(self.seconds, CONNECT_SECONDS) if connection.status == extensions.STATUS_SETUP else self.seconds
        return min(usual, PATIENCE_WHILE_SILENT) if self.is_silent else usual


def be_patient(seconds: float) -> None:
    """Give up waiting for the database after so many seconds and a little more, in this process; 0 for never."""
    extensions.set_wait_callback(Patience(seconds).wait)
