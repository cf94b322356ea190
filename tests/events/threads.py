"""Threads that start together."""

import threading
from collections.abc import Callable

from django.db import connections


def in_threads(count: int, work: Callable[[], None]) -> None:
    """Run `work` in threads that start together, each with its own database connection; re-raise what one raised."""
    start = threading.Barrier(count)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            start.wait(120)
            work()
        except BaseException as error:  # noqa: BLE001 (raised again in the test's own thread)
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if errors:
        raise errors[0]
