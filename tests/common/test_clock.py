"""Whoever moves the clock moves all of the application, what PostgreSQL writes and compares included."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import time_machine
from django.db import transaction

from igny8_core.business.billing.errors import InsufficientCredits
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, CreditTransaction, CreditUsageLog
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.common import clock
from igny8_core.events import deliveries
from igny8_core.events.models import Delivery, Event
from igny8_core.events.services import about, record
from tests import make

THEN = datetime(2031, 5, 6, 23, 30, tzinfo=UTC)


def test_the_clock_says_the_time_and_the_day_in_utc() -> None:
    with time_machine.travel(THEN, tick=False):
        assert clock.now() == THEN
        assert clock.now().tzinfo is UTC
        assert clock.today() == date(2031, 5, 6)


def test_the_clock_stands_where_it_was_told_and_then_goes_on() -> None:
    clock.stand_at(THEN.astimezone(timezone(timedelta(hours=5))))
    try:
        assert (clock.now(), clock.now().tzinfo, clock.today()) == (THEN, UTC, date(2031, 5, 6))
    finally:
        clock.stand_at(None)

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(ValueError, match="needs a time zone"):
        clock.stand_at(datetime(2031, 5, 6))


@pytest.mark.django_db
def test_rows_that_sql_writes_have_the_time_of_the_clock() -> None:
    with time_machine.travel(THEN, tick=False):
        tenant = make.owner().account
        assert tenant
        make.credits(tenant, 10)
        CreditService.spend(tenant, 1, operation_type="article")

    for model in (CreditGrant, CreditTransaction, CreditUsageLog):
        assert set(model.objects.values_list("created_at", flat=True)) == {THEN}
    assert Event.objects.get(type="credits.spent").created_at == THEN
    assert tenant.created_at == THEN


@pytest.mark.django_db
def test_credits_expire_by_the_clock() -> None:
    tenant = make.owner().account
    assert tenant
    make.credits(tenant, 10, expires_at=THEN)

    with time_machine.travel(THEN - timedelta(seconds=1), tick=False):
        CreditService.spend(tenant, 1, operation_type="article")
    with time_machine.travel(THEN + timedelta(seconds=1), tick=False), pytest.raises(InsufficientCredits):
        CreditService.spend(tenant, 1, operation_type="article")


@pytest.mark.django_db
def test_what_is_due_and_what_is_late_is_told_by_the_clock(olga: object) -> None:
    with transaction.atomic():
        record(about("user.created", make.owner()))
    event = Event.objects.get(type="user.created")
    waiting = Delivery.objects.create(event=event, consumer="email", next_attempt_at=THEN)

    with time_machine.travel(THEN - timedelta(seconds=1), tick=False):
        assert deliveries.deliver_due() == 0
        assert broken_invariants() == []
    with time_machine.travel(THEN + timedelta(hours=2), tick=False):
        assert [result.number for result in broken_invariants()] == [15]
        assert deliveries.deliver_due() == 1
    waiting.refresh_from_db()
    assert waiting.attempts == 1
