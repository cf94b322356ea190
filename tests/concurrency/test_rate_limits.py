"""Hits that arrive at the same instant are all counted."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connections

from igny8_core.common.models import RateCounter
from igny8_core.common.rate_limits import seconds_to_wait

THREADS = 8
ROUNDS = 20


def all_at_once(hit: Callable[[], object]) -> list[object]:
    barrier = threading.Barrier(THREADS)

    def run(_: int) -> list[object]:
        try:
            results = []
            for _ in range(ROUNDS):
                barrier.wait(30)
                results.append(hit())
            return results
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return [result for results in pool.map(run, range(THREADS)) for result in results]


@pytest.mark.django_db(transaction=True)
def test_exactly_the_limit_passes(settings):
    settings.RATE_LIMITS = {"login": ["50/100days"]}

    waits = all_at_once(lambda: seconds_to_wait("login", "alice"))

    assert waits.count(None) == 50
    assert RateCounter.objects.get().count == THREADS * ROUNDS


@pytest.mark.django_db(transaction=True)
def test_canary_reading_before_writing_loses_hits():
    row = RateCounter.objects.create(key="canary", window_start=datetime(2026, 1, 1, tzinfo=UTC), count=0)

    def hit() -> None:
        counter = RateCounter.objects.get(pk=row.pk)
        counter.count += 1
        counter.save()

    all_at_once(hit)

    row.refresh_from_db()
    assert row.count < THREADS * ROUNDS
