"""Many calls at the same instant, each on its own thread and its own database connection."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, connections

from tests.concurrency.connections import reserved

PATIENCE = 120  # seconds; a race that takes longer hangs


def all_at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Run the calls together; returns what each gave back or raised, in their order."""
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
            connections.close_all()

    with reserved(len(calls)), ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def wait_for_everybody() -> None:
    """Open this thread's connection and let it wait for locks longer than production does.

    On a busy machine the last of 32 can wait for more than the 3 s after which the database gives up. That has its own
    test (test_lock_timeout.py); here everybody gets a turn.
    """
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
