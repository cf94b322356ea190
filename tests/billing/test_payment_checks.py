"""What nobody answered is found out on a schedule: 5 minutes, an hour, then daily five times (FLT-12)."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing import errors
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, Invoice, Payment
from igny8_core.business.billing.services.collection.attempts import NextStep
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payment_states.check_times import PAYMENT_PAUSES
from igny8_core.business.billing.services.reconciliation.polling import PAYMENTS, poll_due
from igny8_core.events.models import Event
from tests import make
from tests.rows import now

pytestmark = pytest.mark.django_db
# More than are checked at once, several times over.
TIMEOUTS, AT_ONCE = 200, 30
CHARGES = {"method": "POST", "path": "/v1/payment_intents"}


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def invoice(stripe: FakeStripe, clock: Any) -> Invoice:
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    return invoice


def pay(stripe: FakeStripe, invoice: Invoice, card: str = "pm_card_visa", **charge_request: Any) -> Any:
    saved = stripe.save_card(invoice.account.stripe_customer_id, card)
    return PaymentService.create_stripe_payment(invoice, saved, **charge_request)


def lost(stripe: FakeStripe, invoice: Invoice) -> Payment:
    """A charge whose three answers (the SDK sends it again twice) did not come."""
    stripe.lose_next_answers(3, **CHARGES)
    return pay(stripe, invoice).payment


def captured(stripe: FakeStripe, payment: Payment) -> int:
    intents = {i["id"] for i in stripe.all("payment_intent") if i["metadata"].get("payment_id") == str(payment.uuid)}
    return sum(charge["paid"] and charge["payment_intent"] in intents for charge in stripe.all("charge"))


def test_a_charge_without_an_answer_is_unknown_and_nothing_else_can_be_paid(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    stripe.lose_next_answers(3, **CHARGES)

    attempt = pay(stripe, invoice)

    assert (attempt.payment.status, attempt.next_step) == ("unknown", NextStep.WAIT)
    with pytest.raises(errors.PaymentBeingChecked):
        pay(stripe, invoice)
    assert captured(stripe, attempt.payment) == 1


def test_after_five_minutes_the_same_key_tells_that_it_was_charged(
    stripe: FakeStripe, invoice: Invoice, clock: Any
) -> None:
    payment = lost(stripe, invoice)

    clock.shift(timedelta(minutes=4, seconds=59))
    early = poll_due()
    clock.shift(timedelta(seconds=1))
    poll_due()

    assert early == 0
    assert (now(payment).status, now(invoice).status, captured(stripe, payment)) == ("succeeded", "paid", 1)
    assert now(payment).next_check_at is None


def test_while_the_gateway_stays_silent_the_looks_are_an_hour_then_days_apart_and_then_an_operator_is_asked(
    stripe: FakeStripe, invoice: Invoice, clock: Any
) -> None:
    payment = lost(stripe, invoice)
    stripe.lose_next_answers(10_000, path="/v1/payment_intents")
    looks = []

    for _ in range(9 * 24 * 12):
        clock.shift(timedelta(minutes=5))
        if poll_due():
            looks.append(timezone.now() - payment.created_at)

    day, five, hour = timedelta(days=1), timedelta(minutes=5), timedelta(hours=1)
    assert looks == [five, *(five + hour + days * day for days in range(6))]
    assert (now(payment).needs_review, now(payment).status) == (True, "unknown")
    assert Event.objects.filter(type="payment.needs_review").count() == 1


def test_a_payment_that_never_arrived_is_found_missing_when_its_key_is_forgotten_and_can_be_paid_anew(
    stripe: FakeStripe, invoice: Invoice, clock: Any
) -> None:
    stripe.answer_next(500, times=6, **CHARGES)
    payment = pay(stripe, invoice).payment
    clock.shift(timedelta(minutes=5))
    poll_due()
    assert now(payment).status == "unknown"

    clock.shift(timedelta(hours=24))
    poll_due()

    assert (now(payment).status, now(payment).metadata["failure_code"]) == ("failed", "never_arrived")
    assert stripe.charges_count() == 0
    assert pay(stripe, invoice).payment.status == "succeeded"


def test_a_form_that_was_left_open_for_a_day_is_closed_at_the_gateway_too(
    stripe: FakeStripe, invoice: Invoice, clock: Any
) -> None:
    attempt = PaymentService.create_stripe_payment(invoice)

    for _ in range(26):
        clock.shift(timedelta(hours=1))
        poll_due()

    assert now(attempt.payment).status == "canceled"
    assert stripe.one(attempt.charge.object_id)["status"] == "canceled"
    assert pay(stripe, invoice).payment.status == "succeeded"


def test_a_bank_s_question_that_nobody_can_answer_any_more_is_closed(
    stripe: FakeStripe, invoice: Invoice, clock: Any
) -> None:
    stripe.lose_next_answers(3, **CHARGES)
    payment = pay(stripe, invoice, "pm_card_authenticationRequired").payment
    assert payment.status == "unknown"

    clock.shift(timedelta(minutes=5))
    poll_due()

    assert (now(payment).status, now(invoice).status) == ("failed", "pending")
    assert stripe.one(now(payment).gateway_object_id)["status"] == "canceled"


def test_what_could_not_be_closed_at_the_gateway_is_closed_later(
    stripe: FakeStripe, invoice: Invoice, clock: Any
) -> None:
    stripe.refuse_next_connections(3, method="POST", path="/v1/payment_intents/")

    saved = stripe.save_card(invoice.account.stripe_customer_id)
    stripe.set_card_declines(saved, "insufficient_funds")
    with pytest.raises(errors.PaymentDeclined):
        PaymentService.create_stripe_payment(invoice, saved)
    payment = Payment.objects.get()
    clock.shift(timedelta(minutes=6))
    poll_due()

    assert stripe.one(payment.gateway_object_id)["status"] == "canceled"
    assert now(payment).next_check_at is None


def test_what_can_never_be_closed_at_the_gateway_is_given_up_with_an_error(
    stripe: FakeStripe, invoice: Invoice, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    saved = stripe.save_card(invoice.account.stripe_customer_id)
    stripe.set_card_declines(saved, "insufficient_funds")
    stripe.refuse_next_connections(10_000, method="POST", path="/v1/payment_intents/")
    with pytest.raises(errors.PaymentDeclined):
        PaymentService.create_stripe_payment(invoice, saved)

    for _ in range(30):
        clock.shift(timedelta(days=1))
        poll_due()

    assert Payment.objects.get().next_check_at is None
    assert [record.levelname for record in caplog.records if "could not be closed" in record.message] == ["ERROR"]


def test_a_check_that_kills_every_worker_ends_with_an_operator(
    stripe: FakeStripe, invoice: Invoice, clock: Any
) -> None:
    payment = lost(stripe, invoice)
    asked = len(stripe.requests())
    for _ in range(len(PAYMENT_PAUSES["unknown"]) + 1):
        clock.shift(timedelta(minutes=5))
        assert PAYMENTS.take() == payment

    clock.shift(timedelta(minutes=5))
    poll_due()

    assert (now(payment).needs_review, now(payment).status, now(payment).next_check_at) == (True, "unknown", None)
    assert len(stripe.requests()) == asked


def test_a_payment_that_breaks_its_check_does_not_hold_up_the_others(
    stripe: FakeStripe, invoice: Invoice, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    other = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, other.account)
    broken, sound = lost(stripe, invoice), lost(stripe, other)
    # A method that no gateway serves.
    Payment.objects.filter(pk=broken.pk).update(payment_method="bank_transfer")

    clock.shift(timedelta(minutes=5))
    tried = poll_due()

    assert (tried, now(sound).status, now(broken).status) == (2, "succeeded", "unknown")
    assert now(broken).next_check_at == timezone.now() + PAYMENT_PAUSES["unknown"][0]
    assert any(record.exc_info for record in caplog.records if record.getMessage() == "payment check failed")


@pytest.mark.stress
def test_two_hundred_charges_without_an_answer_are_charged_once_and_settled_on_schedule(
    stripe: FakeStripe, clock: Any
) -> None:
    pick = random.Random(20261125)
    tenant = make.owner().account
    make.customer_at_stripe(stripe, tenant)
    saved = stripe.save_card(tenant.stripe_customer_id)
    package = [{"description": "Credits", "quantity": 1, "amount": "9.00", "kind": "credit_package", "credits": 5}]
    package[0]["package"] = make.credit_package()
    payments = []

    for _ in range(TIMEOUTS):
        stripe.lose_next_answers(3, **CHARGES)
        invoice = make.invoice(tenant, line_items=package)
        payments.append(PaymentService.create_stripe_payment(invoice, saved).payment)
        clock.shift(timedelta(seconds=pick.choice([0, 1, 5])))
        if pick.random() < 0.05:
            poll_due()
    for _ in range(3):
        clock.shift(timedelta(minutes=5))
        while poll_due(AT_ONCE):
            pass

    assert {payment.status for payment in payments} == {"unknown"}
    assert set(Payment.objects.values_list("status", flat=True)) == {"succeeded"}
    assert set(Invoice.objects.values_list("status", flat=True)) == {"paid"}
    assert sum(charge["paid"] for charge in stripe.all("charge")) == TIMEOUTS
    assert CreditGrant.objects.filter(account=tenant).count() == TIMEOUTS
    assert broken_invariants() == []
