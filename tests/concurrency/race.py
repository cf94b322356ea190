"""Many calls at the same instant, each on its own thread and its own database connection."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from django.db import connection, connections

from tests.concurrency.connections import connect, reserved

PATIENCE = 120  # seconds; a race that takes longer hangs


class Racers:
    """Threads that keep their connections between races: to open one costs PostgreSQL more than most calls do."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._held = ExitStack()
        self._held.enter_context(reserved(number))
        self._threads = self._held.enter_context(ThreadPoolExecutor(number))

    def run(self, calls: Sequence[Callable[[], object]]) -> list[object]:
        """Run the calls together, each on a thread of its own; returns what each gave back or raised."""
        barrier = threading.Barrier(len(calls))

        def run(call: Callable[[], object]) -> object:
            try:
                # Opened before the start, so that the calls and not the handshakes race.
                wait_for_everybody()
                barrier.wait(PATIENCE)
                return call()
            except Exception as error:  # noqa: BLE001 (the test judges it)
                return error
            finally:
                self._tidy()

        return list(self._threads.map(run, calls))

    def leave(self) -> None:
        """Close the connections of all threads, which all have a turn because each waits for the others."""
        barrier = threading.Barrier(self.number)

        def leave(_: int) -> None:
            barrier.wait(PATIENCE)
            connections.close_all()

        list(self._threads.map(leave, range(self.number)))
        self._held.close()

    @staticmethod
    def _tidy() -> None:
        if connection.in_atomic_block:
            connections.close_all()
        else:
            connection.close_if_unusable_or_obsolete()


_racers: list[Racers] = []


def all_at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Run the calls together; returns what each gave back or raised, in their order."""
    if _racers and _racers[0].number < len(calls):
        dismiss()
    if not _racers:
        _racers.append(Racers(len(calls)))
    return _racers[0].run(calls)


def dismiss() -> None:
    """Let the racers go, where there are any, and what they have reserved with them."""
    while _racers:
        _racers.pop().leave()


def wait_for_everybody() -> None:
    """Open this thread's connection and let it wait for locks longer than production does.

    On a busy machine the last of 32 can wait for more than the 3 s after which the database gives up. That has its own
    test (test_lock_timeout.py); here everybody gets a turn.
    """
    connect()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '110s'")


def outcome_of(call: Callable[[], object]) -> object:
    """What a call gave back or raised."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 (the test judges it)
        return error


def kinds(outcomes: Sequence[object]) -> dict[str, int]:
    """How many outcomes there are of each type, by the type's name."""
    names = [type(outcome).__name__ for outcome in outcomes]
    return {name: names.count(name) for name in sorted(set(names))}
