"""An order to decide many payments is carried out once, and each row has its outcome."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from igny8_core.auth.models import User
from igny8_core.business.billing.models import BulkDecision, CreditGrant, Decision, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payments import bulk_decisions
from igny8_core.business.billing.services.payments.approving_many import DATABASE_REFUSED
from igny8_core.business.billing.services.payments.bulk_decisions import (
    GIVEN_UP,
    NOT_ALLOWED,
    PAUSES,
    Words,
    carry_out,
    carry_out_due,
    order_decision,
    progress_of,
)
from igny8_core.events.models import Delivery, Event
from tests import make

pytestmark = pytest.mark.django_db


def order(payments: Sequence[Payment], operator: User | None = None, **words: Any) -> BulkDecision:
    return order_decision(Decision.APPROVE, Words(**words), operator or make.operator(), payments, {})


def later(minutes: int = 2) -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes))


def results(bulk: BulkDecision) -> dict[int, str]:
    return dict(bulk.rows.values_list("payment_id", "result"))


def require_each_approved_once(payments: Sequence[Payment]) -> None:
    ids = [str(payment.pk) for payment in payments]
    assert {payment.status for payment in Payment.objects.filter(pk__in=ids)} == {"succeeded"}
    approved = Event.objects.filter(type="payment.approved", object_id__in=ids)
    assert approved.count() == len(payments)
    assert Delivery.objects.filter(event__in=approved, consumer="email").count() == len(payments)
    assert CreditGrant.objects.count() == len(payments)


def test_rows_keep_what_was_brought_about_and_why_something_was_refused() -> None:
    operator = make.operator()
    good, twice, known = (make.submitted_payment() for _ in range(3))
    PaymentService.reject_manual_payment(known, "", operator)
    more = make.submitted_payment(make.invoice(twice.account))

    bulk = order([more, twice, known, good], operator)
    carry_out(bulk)

    told = {row.payment_id: (row.result, row.outcome) for row in bulk.rows.all()}
    assert told[good.pk] == told[twice.pk] == ("done", "Account activated.")
    assert told[more.pk] == ("done", f"Invoice {more.invoice.invoice_number} is paid.")
    assert told[known.pk][0] == "refused"
    bulk.refresh_from_db()
    assert (bulk.status, bulk.next_attempt_at, bulk.finished_at is None) == ("done", None, False)


def test_a_rejection_tells_all_of_them_the_same() -> None:
    payments = [make.submitted_payment() for _ in range(2)]
    words = Words(reason_code="other", reason="Sent twice", note="Line 14")

    carry_out(order_decision(Decision.REJECT, words, make.operator(), payments, {}))

    rejected = Payment.objects.values_list("status", "failure_reason", "internal_note")
    assert [*rejected] == [("failed", "Sent twice", "Line 14")] * 2


def test_carried_out_again_an_order_does_nothing() -> None:
    payments = [make.submitted_payment() for _ in range(3)]
    bulk = order(payments)
    carry_out(bulk)
    before = results(bulk)

    carry_out(bulk)
    BulkDecision.objects.update(status="waiting", next_attempt_at=timezone.now(), finished_at=None)
    assert carry_out_due() == 1

    assert results(bulk) == before == {payment.pk: "done" for payment in payments}
    require_each_approved_once(payments)


def test_what_was_done_is_told_though_another_worker_could_not_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are at the same order; the database lets one of them wait in vain, while the other approves."""
    payments = [make.submitted_payment() for _ in range(2)]
    bulk = order(payments)
    approve = bulk_decisions.approve_locked

    def approve_after_another(payment: Payment, *args: Any, **kwargs: Any) -> Any:
        bulk.rows.filter(payment=payment).update(result="refused", outcome=DATABASE_REFUSED)
        return approve(payment, *args, **kwargs)

    monkeypatch.setattr(bulk_decisions, "approve_locked", approve_after_another)
    carry_out(bulk)

    assert {(row.result, row.outcome) for row in bulk.rows.all()} == {("done", "Account activated.")}
    require_each_approved_once(payments)


def test_what_was_done_stays_though_another_worker_finds_it_done(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = make.submitted_payment()
    bulk = order([payment])
    decide = bulk_decisions._decide

    def decide_twice(*args: Any) -> None:
        decide(*args)
        decide(*args)

    monkeypatch.setattr(bulk_decisions, "_decide", decide_twice)
    carry_out(bulk)

    assert [(row.result, row.outcome) for row in bulk.rows.all()] == [("done", "Account activated.")]
    require_each_approved_once([payment])


def test_who_may_not_decide_any_more_decides_nothing() -> None:
    payment, operator = make.submitted_payment(), make.operator()
    bulk = order([payment], operator)
    User.objects.filter(pk=operator.pk).update(is_active=False)

    carry_out_due()

    assert bulk.rows.get().outcome == NOT_ALLOWED
    assert Payment.objects.get().status == "pending_approval"


def test_what_fails_again_and_again_is_given_up_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    bulk = order([make.submitted_payment()])

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bulk_decisions, "_decide", broken)
    for number in range(len(PAUSES) + 1):
        with later(20 * number):
            assert carry_out_due() == 1

    bulk.refresh_from_db()
    assert (bulk.status, bulk.last_error) == ("done", "ZeroDivisionError: ")
    assert progress_of(bulk) == {"waiting": 0, "done": 0, "refused": 1, "all": 1}
    assert bulk.rows.get().outcome == GIVEN_UP


def test_who_is_no_operator_any_more_decides_nothing_though_they_kept_their_permissions() -> None:
    operator, payment = make.operator(), make.submitted_payment()
    bulk = order([payment], operator)
    User.objects.filter(pk=operator.pk).update(is_staff=False)

    carry_out_due()

    [row] = bulk.rows.all()
    assert (row.result, row.outcome) == ("refused", NOT_ALLOWED)
    assert Payment.objects.get(pk=payment.pk).status == "pending_approval"


def test_a_permission_that_is_taken_meanwhile_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand payments take a while; what was decided before stays."""
    operator, payments = make.operator(), [make.submitted_payment() for _ in range(3)]
    bulk = order(payments, operator)
    monkeypatch.setattr(bulk_decisions, "SET", 1)
    decide = bulk_decisions._decide

    def decide_and_dismiss(*args: Any) -> None:
        decide(*args)
        User.objects.filter(pk=operator.pk).update(is_active=False)

    monkeypatch.setattr(bulk_decisions, "_decide", decide_and_dismiss)
    carry_out_due()

    assert sorted(results(bulk).values()) == ["done", "refused", "refused"]
    assert set(bulk.rows.filter(result="refused").values_list("outcome", flat=True)) == {NOT_ALLOWED}
    bulk.refresh_from_db()
    assert bulk.status == "done"
