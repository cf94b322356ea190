"""Deterministic interleavings: a rival runs at a named place of the call under test, instead of by luck."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from types import ModuleType
from unittest import mock

from django.db import connection, connections, transaction

from tests.concurrency.connections import connect

PATIENCE = 120  # seconds; nobody waits so long unless a rival hangs


class Rival:
    """A call in another thread, on a connection of its own."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.started = threading.Event()
        self.had_to_wait = False

    def start(self) -> None:
        """Let it run until it has ended or waits for a lock that somebody holds; `had_to_wait` tells which."""
        self.started.set()
        backend: SimpleQueue[int] = SimpleQueue()
        pool = ThreadPoolExecutor(1)
        self._outcome = pool.submit(self._run, backend)
        pool.shutdown(wait=False)
        self.had_to_wait = self._waits(backend.get(timeout=PATIENCE))

    def outcome(self) -> object:
        """What the call gave back or raised."""
        return self._outcome.result(PATIENCE)

    def _run(self, backend: SimpleQueue[int]) -> object:
        try:
            connect()
            backend.put(connection.connection.info.backend_pid)
            return self.call()
        except Exception as error:  # noqa: BLE001 (the test judges it)
            backend.put(0)  # Nobody waits for one that got no connection.
            return error
        finally:
            connections.close_all()

    def _waits(self, backend: int) -> bool:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._outcome.done():
                return False
            with connection.cursor() as cursor:
                cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)", [backend])
                if cursor.fetchone()[0]:
                    return True
            time.sleep(0.002)
        raise AssertionError(f"After {PATIENCE} s the rival has neither ended nor met a lock.")


@contextmanager
def run_before(module: ModuleType | type, name: str, call: Callable[[], object]) -> Iterator[Rival]:
    """Start `call` as a rival just before the block's first use of `module.name`."""
    rival = Rival(call)
    original = getattr(module, name)

    def rival_first(*args: object, **kwargs: object) -> object:
        if not rival.started.is_set():
            rival.start()
        return original(*args, **kwargs)

    with mock.patch.object(module, name, rival_first):
        yield rival
    assert rival.started.is_set(), f"{name} was never called: the rival had no turn."


def before_commit(first: Callable[[], object], second: Callable[[], object]) -> Rival:
    """Run `first`, start `second` as a rival before the commit, then commit; returns the rival."""
    rival = Rival(second)
    with transaction.atomic():
        first()
        rival.start()
    return rival
