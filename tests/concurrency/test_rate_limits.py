"""Hits that arrive at the same instant are all counted."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connections

from igny8_core.auth.devices import Place
from igny8_core.auth.errors import InvalidCredentials
from igny8_core.auth.services.login_guard import FREE_TRIES, guarded
from igny8_core.common.errors import TooManyRequests
from igny8_core.common.models import RateCounter
from igny8_core.common.network import Network, networks_of
from igny8_core.common.rate_limits import add, count, forget, give_back, parse_rate, seconds_to_wait
from tests.events.test_background_worker import redis_answers

THREADS = 8
ROUNDS = 20
IN_DATABASE = ""
COUNTERS = [
    pytest.param(IN_DATABASE, id="PostgreSQL"),
    pytest.param(
        "redis://127.0.0.1:6379/15",
        id="Redis",
        marks=pytest.mark.skipif(not redis_answers(), reason="no Redis on 127.0.0.1:6379"),
    ),
]


def all_at_once(hit: Callable[[], object]) -> list[object]:
    barrier = threading.Barrier(THREADS)

    def run(_: int) -> list[object]:
        try:
            results = []
            for _ in range(ROUNDS):
                barrier.wait(120)
                results.append(hit())
            return results
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return [result for results in pool.map(run, range(THREADS)) for result in results]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("counter", COUNTERS)
def test_exactly_the_limit_passes(settings, counter):
    settings.RATE_LIMITS, settings.REDIS_URL = {"login": ["50/100days"]}, counter
    caller = uuid4().hex

    waits = all_at_once(lambda: seconds_to_wait("login", caller))

    assert waits.count(None) == 50
    counted = [THREADS * ROUNDS] if counter == IN_DATABASE else []
    assert list(RateCounter.objects.values_list("count", flat=True)) == counted


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("counter", COUNTERS)
def test_a_wider_network_counts_what_the_narrow_one_lets_through(settings, counter):
    settings.RATE_LIMITS, settings.REDIS_URL = {"login": ["3/100days", "100/200days"]}, counter
    wide = Network(uuid4().hex, 4)

    def answers(number: int) -> list[bool]:
        narrow = Network(uuid4().hex, 1)
        return [seconds_to_wait("login", narrow, wide) is None for _ in range(number)]

    assert answers(50) == [True] * 3 + [False] * 47
    assert [answers(4) for _ in range(3)] == [[True] * 3 + [False]] * 3
    assert answers(4) == [False] * 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("counter", COUNTERS)
def test_what_is_given_back_or_forgotten_does_not_count(settings, counter):
    settings.RATE_LIMITS, settings.REDIS_URL = {"login": ["3/100days"]}, counter
    caller = uuid4().hex

    for _ in range(20):
        give_back(count("login", caller))
    assert [seconds_to_wait("login", caller) is None for _ in range(4)] == [True] * 3 + [False]
    forget("login", caller)
    assert add("login", parse_rate("3/100days"), caller, 2) == 2
    assert [seconds_to_wait("login", caller) is None for _ in range(2)] == [True, False]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("counter", COUNTERS)
def test_counting_and_giving_back_at_once_wait_for_each_other_and_lose_nothing(settings, counter):
    settings.RATE_LIMITS, settings.REDIS_URL = {"login": ["5000/100days", "6000/200days"]}, counter
    callers = [uuid4().hex for _ in range(4)]

    def hit() -> None:
        for _ in range(10):
            give_back(count("login", *callers))

    all_at_once(hit)

    if counter == IN_DATABASE:
        assert list(RateCounter.objects.values_list("count", flat=True)) == [0] * 8
    assert add("login", parse_rate("5000/100days"), callers[0], 1) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_wrong_passwords_at_once_five_are_checked(settings):
    settings.THROTTLING, settings.REDIS_URL = True, IN_DATABASE
    place = Place(networks_of("192.0.2.1"))

    def guess() -> str:
        try:
            with guarded("alice@example.com", place):
                raise InvalidCredentials()
        except InvalidCredentials:
            return "checked"
        except TooManyRequests:
            return "refused"

    assert all_at_once(guess).count("checked") == FREE_TRIES


@pytest.mark.django_db(transaction=True)
def test_while_redis_is_away_the_database_counts(settings, caplog):
    settings.RATE_LIMITS, settings.REDIS_URL = {"login": ["50/100days"]}, "redis://127.0.0.1:1/0"

    waits = all_at_once(lambda: seconds_to_wait("login", "alice"))

    assert waits.count(None) == 50
    assert RateCounter.objects.get().count == THREADS * ROUNDS
    assert "counted in the database: ConnectionError" in caplog.text


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
