"""An order to decide many payments whose workers are killed -9, or that two workers carry out at once."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import BulkDecision, Payment
from igny8_core.business.billing.services.payments import bulk_decisions
from igny8_core.business.billing.services.payments.bulk_decisions import carry_out_due
from tests import make
from tests.billing.test_bulk_decisions import order, require_each_approved_once, results
from tests.concurrency.killed import killed_before
from tests.concurrency.race import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def later() -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=2))


@pytest.mark.stress
def test_killed_at_any_step_an_order_is_carried_out_to_its_end_and_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, pace: int
) -> None:
    monkeypatch.setattr(bulk_decisions, "SET", 2)
    operator, payments = make.operator(), list[Payment]()
    for step in range(1, 200, max(pace, 9)):
        new = [make.submitted_payment() for _ in range(3)]
        bulk = order([*new, make.submitted_payment(make.invoice(new[0].account))], operator)
        was_killed = killed_before(step, carry_out_due)
        with later():
            carry_out_due()
        payments += new

        assert set(results(bulk).values()) == {"done"}
        require_each_approved_once(payments)
        if not was_killed:
            break
    with later():
        assert [found for found in broken_invariants() if found.violations and found.number != 15] == []


def test_two_workers_at_one_order_approve_each_payment_once() -> None:
    payments = [make.submitted_payment() for _ in range(30)]
    bulk = BulkDecision.objects.select_related("decided_by").get(pk=order(payments).pk)

    ends: list[Any] = all_at_once([lambda: bulk_decisions._carry_out(bulk)] * 2)

    assert [end["status"] for end in ends] == ["done", "done"]
    assert set(results(bulk).values()) == {"done"}
    require_each_approved_once(payments)
