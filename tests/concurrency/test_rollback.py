"""An approval that fails at any of its statements has changed nothing and can be repeated (PAY-09)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from unittest import mock

import pytest
from django.db import OperationalError, connection
from igny8_core.business.billing.services.payment_service import PaymentService

from igny8_core.auth.models import User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Payment
from igny8_core.events.models import Event
from tests import make
from tests.concurrency.effects import APPROVED, WAITING, effects_of


class Broken(OperationalError):
    """The connection's end, as the driver would report it."""


@contextmanager
def failing_at(number: int, *, after: bool) -> Iterator[None]:
    """The block's statement with this number (from 1) fails: before it is sent, or after it has been done."""
    sent = count(1)

    def fail(execute: Callable[..., object], *arguments: object) -> object:
        is_last = next(sent) == number
        if is_last and not after:
            raise Broken
        result = execute(*arguments)
        if is_last:
            raise Broken
        return result

    with connection.execute_wrapper(fail):
        yield


def approve(payment: Payment, olga: User) -> bool:
    """Whether the approval went through."""
    try:
        PaymentService.approve_manual_payment(payment, olga)
    except Broken:
        # Whoever holds a broken connection opens a new one.
        connection.close()
        return False
    return True


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.usefixtures("books_balance")
def test_an_approval_that_fails_at_any_statement_changes_nothing(after: bool) -> None:
    payment, olga = make.submitted_payment(), make.operator()
    events = Event.objects.count()

    for number in count(1):
        with failing_at(number, after=after):
            approved = approve(payment, olga)
        if approved:
            break
        assert effects_of(payment) == WAITING
        assert Event.objects.count() == events
        assert broken_invariants() == []

    assert number > 8, "every statement had its turn to fail"
    assert effects_of(payment) == APPROVED


@pytest.mark.usefixtures("books_balance")
def test_an_approval_whose_commit_fails_changes_nothing() -> None:
    payment, olga = make.submitted_payment(), make.operator()

    with mock.patch.object(connection, "_commit", side_effect=Broken):
        approved = approve(payment, olga)

    assert not approved
    assert effects_of(payment) == WAITING
    assert approve(payment, olga)
    assert effects_of(payment) == APPROVED
