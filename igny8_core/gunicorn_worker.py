"""The web server's worker processes: no thread waits for who sends slowly, and probes have their own (FLT-01).

gunicorn's own worker gives each new connection a thread, which waits for the request. So a few who send nothing, or
half of a request, hold all threads. Here the main thread, which waits for all connections at once anyway, waits until
the whole head is there, and a small body with it. What is larger is read by a thread, with a limit on each wait.
"""

import errno
import re
import resource
import socket
import time
from concurrent import futures
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

# How long a client may take for the head and a small body, and for each part of a larger body or of the answer.
REQUEST_SECONDS = 10
PART_SECONDS = 10
MOST_WAITED_FOR = 64 * 1024  # bytes; what the system keeps for us meanwhile
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,6})[ \t]*\r\n", re.IGNORECASE)
PROBES = (b"GET /healthz/ ", b"HEAD /healthz/ ", b"GET /readyz/ ", b"HEAD /readyz/ ")
PROBE_THREADS = 2
MOST_FILES = 8192


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, which are given requests that are there already."""

    def init_process(self) -> None:
        """Begin to work, in the process that was forked."""
        # Each connection needs one. The usual limit of 1,024 is less than gunicorn_config.py allows.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, MOST_FILES) if most > 0 else MOST_FILES, most))
        self.probes = futures.ThreadPoolExecutor(PROBE_THREADS, "probe")
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection and wait for its request, without a thread."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                return
            raise
        self.nr_conns += 1
        self._wait_for_request(TConn(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """A connection that was kept open has the beginning of another request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._wait_for_request(conn)

    def on_pending_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """More of a request is there; if it is all of it, a thread may have it."""
        if _is_there(conn):
            super().on_pending_socket_readable(conn, client)

    def enqueue_req(self, conn: Any) -> None:
        """Give the request to a thread; a probe to one of those that do nothing else."""
        pool = self.probes if getattr(conn, "is_probe", False) else self.tpool
        done = pool.submit(self.handle, conn)
        done.add_done_callback(lambda future: self.method_queue.defer(self.finish_request, conn, future))

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer. Each wait for a part of the body, and for the client to take the answer, has a limit."""
        conn.sock.settimeout(PART_SECONDS)
        return super().handle_request(req, conn)

    def _wait_for_request(self, conn: Any) -> None:
        conn.seen, conn.timeout = 0, time.monotonic() + REQUEST_SECONDS
        conn.sock.setblocking(False)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))


def _is_there(conn: Any) -> bool:
    """Whether the whole request is there, or nothing more is to be waited for. The system wakes us when there is more.

    Nothing is taken out of the socket: the thread reads it as if it had come at once.
    """
    try:
        seen = conn.sock.recv(MOST_WAITED_FOR, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True  # the thread finds out what is wrong
    conn.is_probe = seen.startswith(PROBES)
    wanted = _wanted(seen)
    # As much as before: the client has closed its side.
    if len(seen) >= wanted or len(seen) == conn.seen:
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        return True
    conn.seen = len(seen)
    conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted if HEAD_END in seen else len(seen) + 1)
    return False


def _wanted(seen: bytes) -> int:
    """How many bytes the request has in all, as far as they are waited for."""
    head, end, _ = seen.partition(HEAD_END)
    if not end:
        return MOST_WAITED_FOR
    declared = LENGTH.search(head + b"\r\n")
    # Who asks before sending the body gets an answer first.
    waits_for_us = b"\r\nexpect:" in head.lower()
    length = int(declared[1]) if declared and not waits_for_us else 0
    whole = len(head) + len(end) + length
    return whole if whole <= MOST_WAITED_FOR else len(head) + len(end)
