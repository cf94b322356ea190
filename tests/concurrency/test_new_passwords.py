"""A link for a new password that is used by several at the same moment (AUT-13)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from igny8_core.auth.errors import (
    LinkExpired,
)
from igny8_core.auth.services import users as user_module
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.users import reset_password
from igny8_core.events.models import Event
from tests import make
from tests.concurrency.interleave import run_before
from tests.concurrency.race import all_at_once, kinds

THREADS = 32


@contextmanager
def without_asking_for_the_previous_password() -> Iterator[None]:
    """A reset changes the user's row whatever password it holds."""
    honest = QuerySet.filter

    def forgetful(rows: QuerySet[Any], *conditions: Any, **lookups: Any) -> QuerySet[Any]:
        lookups.pop("password", None)
        return honest(rows, *conditions, **lookups)

    with mock.patch.object(QuerySet, "filter", forgetful):
        yield


def reset(token: str) -> Callable[[], object]:
    return lambda: reset_password(token, "a wholly different phrase")


@pytest.mark.usefixtures("books_balance")
def test_a_reset_token_used_32_times_at_once_works_once() -> None:
    token = link_token(make.owner(), Purpose.RESET, timezone.now())

    outcomes = all_at_once([reset(token)] * THREADS)

    assert kinds(outcomes) == {"LinkExpired": THREADS - 1, "NoneType": 1}
    Event.objects.get(type="user.password_reset")


@pytest.mark.usefixtures("books_balance")
def test_of_two_interleaved_resets_one_works() -> None:
    token = link_token(make.owner(), Purpose.RESET, timezone.now())

    with run_before(user_module, "check_new_password", reset(token)) as rival, pytest.raises(LinkExpired):
        reset(token)()

    assert rival.outcome() is None


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_condition_both_resets_work() -> None:
    token = link_token(make.owner(), Purpose.RESET, timezone.now())

    with (
        without_asking_for_the_previous_password(),
        run_before(user_module, "check_new_password", reset(token)) as rival,
    ):
        reset(token)()

    assert rival.outcome() is None
    assert Event.objects.filter(type="user.password_reset").count() == 2
