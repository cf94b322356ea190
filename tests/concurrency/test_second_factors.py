"""One code, sent by several at the same moment (AUT-30)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.db.models import QuerySet

from igny8_core.auth.models import User
from igny8_core.auth.services.one_time_codes import require_code
from igny8_core.events.models import Event
from tests import make
from tests.auth.devices import Device, give_second_factor
from tests.concurrency.race import all_at_once, kinds

THREADS = 16


@contextmanager
def without_asking_what_was_taken() -> Iterator[None]:
    """A code is written down as taken whether it was or not."""
    honest = QuerySet.filter

    def forgetful(rows: QuerySet[Any], *conditions: Any, **lookups: Any) -> QuerySet[Any]:
        lookups.pop("last_step__lt", None)
        lookups.pop("secret", None)
        return honest(rows, *conditions, **lookups)

    with mock.patch.object(QuerySet, "filter", forgetful):
        yield


def sent(person: User, code: str) -> Callable[[], object]:
    return lambda: require_code(person, code)


@pytest.fixture
def person(transactional_db: None) -> User:
    return make.owner()


@pytest.fixture
def device(person: User) -> Device:
    return give_second_factor(person)


def test_of_many_who_send_one_code_at_once_one_gets_in(person: User, device: Device) -> None:
    outcomes = all_at_once([sent(person, device.code())] * THREADS)

    assert kinds(outcomes) == {"NoneType": 1, "SecondFactorWrong": THREADS - 1}


def test_a_recovery_code_lets_one_of_many_in(person: User, device: Device) -> None:
    outcomes = all_at_once([sent(person, device.recovery_codes[0])] * THREADS)

    assert kinds(outcomes) == {"NoneType": 1, "SecondFactorWrong": THREADS - 1}
    Event.objects.get(type="recovery_code.used")


def test_canary_without_the_condition_several_get_in(person: User, device: Device) -> None:
    with without_asking_what_was_taken():
        outcomes = all_at_once([sent(person, device.code())] * THREADS)

    assert kinds(outcomes)["NoneType"] > 1
