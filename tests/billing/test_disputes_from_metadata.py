"""What releases before the table of disputes noted of a payment becomes rows: all of it, and nothing is guessed."""

from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.gateways.protocol import GatewayRefund, RefundState
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Dispute, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payment_states.transitions import payment_event
from igny8_core.business.billing.services.refunds.gateway_refunds import book_external_refund
from igny8_core.events import services as events
from igny8_core.events.models import Event
from tests import make
from tests.billing.breaking import unguarded
from tests.billing.test_reconcile import approved_at_paypal, found, paid

pytestmark = pytest.mark.django_db

NOTE = {"id": "du_1", "amount": "50.00", "currency": "USD", "reason": "fraudulent", "status": "open"}
Row = tuple[Any, ...]


@pytest.fixture
def payment(stripe: FakeStripe) -> Payment:
    """Paid by card, 89.00 USD."""
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    return paid(stripe, invoice)


def noted(payment: Payment, **metadata: Any) -> Payment:
    """As 6259b03 left the payment, with the event that told of its first dispute."""
    payment.metadata |= metadata
    payment.status = "disputed"
    payment.save()
    events.record(payment_event("payment.disputed", payment, dispute_id="du_1"))
    return payment


def migrate() -> None:
    module = import_module("igny8_core.business.billing.migrations.0018_disputes_from_metadata")
    module.carry_over(apps, None)


def rows() -> list[Row]:
    facts = ("gateway", "gateway_dispute_id", "status", "amount", "currency", "reason")
    return list(Dispute.objects.order_by("pk").values_list(*facts))


def test_an_open_dispute_becomes_a_row_and_its_note_stays(payment: Payment) -> None:
    noted(payment, dispute=NOTE)
    before = Payment.objects.values().get()

    migrate()

    assert rows() == [("stripe", "du_1", "open", Decimal("50.00"), "USD", "fraudulent")]
    dispute = Dispute.objects.get()
    assert (dispute.payment_id, dispute.account_id) == (payment.pk, payment.account_id)
    assert dispute.created_at == Event.objects.get(type="payment.disputed").created_at
    assert (dispute.opened_at, dispute.closed_at, dispute.outcome) == (None, None, "")
    assert Payment.objects.values().get() == before
    assert broken_invariants() == []


def test_a_won_dispute_ended_when_its_event_says(payment: Payment) -> None:
    noted(payment, dispute={**NOTE, "status": "won"})
    events.record(payment_event("payment.dispute_won", payment, dispute_id="du_1"))

    migrate()

    assert Dispute.objects.get().status == "won"
    assert Dispute.objects.get().closed_at == Event.objects.get(type="payment.dispute_won").created_at
    assert broken_invariants() == []


def test_a_lost_dispute_names_the_refund_that_was_booked_for_it(payment: Payment) -> None:
    noted(payment, dispute={**NOTE, "status": "lost"})
    refund = book_external_refund(payment, GatewayRefund("du_1", RefundState.SUCCEEDED, Decimal("50.00"), "USD"))
    assert refund

    migrate()

    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.refund, dispute.closed_at) == ("lost", refund, refund.finished_at)
    assert broken_invariants() == []


def test_a_dispute_that_took_money_was_lost_whatever_was_noted(payment: Payment) -> None:
    """6259b03 kept its first word, and booked the loss all the same."""
    noted(payment, dispute={**NOTE, "status": "won"})
    book_external_refund(payment, GatewayRefund("du_1", RefundState.SUCCEEDED, Decimal("50.00"), "USD"))

    migrate()

    assert Dispute.objects.get().status == "lost"
    assert broken_invariants() == []


def test_a_lost_dispute_at_paypal_has_no_refund_of_its_own(paypal: FakePayPal) -> None:
    payment = PaymentService.complete_payment(approved_at_paypal(paypal)).payment
    noted(payment, dispute={**NOTE, "id": "PP-D-1", "status": "lost", "reason": ""})

    migrate()

    assert rows() == [("paypal", "PP-D-1", "lost", Decimal("50.00"), "USD", "")]
    assert Dispute.objects.get().refund is None


def test_further_disputes_of_which_only_the_id_was_kept_are_rows_too(payment: Payment) -> None:
    noted(payment, dispute=NOTE, other_disputes=["du_2", "du_3"])
    book_external_refund(payment, GatewayRefund("du_3", RefundState.SUCCEEDED, Decimal("9.00"), "USD"))

    migrate()

    assert rows()[1:] == [
        ("stripe", "du_2", "open", None, "", ""),
        ("stripe", "du_3", "lost", None, "", ""),
    ]
    assert broken_invariants() == []


def test_a_payment_without_a_note_has_no_dispute(payment: Payment) -> None:
    migrate()

    assert rows() == []


def test_to_migrate_again_makes_nothing_twice(payment: Payment) -> None:
    noted(payment, dispute=NOTE, other_disputes=["du_2"])

    migrate()
    migrate()

    assert len(rows()) == 2


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"dispute": "du_1"}, "dispute is 'du_1'; an object was expected"),
        ({"dispute": {**NOTE, "id": ""}}, "a dispute's id is ''; the gateway's id was expected"),
        ({"dispute": {**NOTE, "id": 7}}, "a dispute's id is 7; the gateway's id was expected"),
        ({"dispute": {**NOTE, "amount": "0.00"}}, "amount is '0.00'; a number above zero was expected"),
        ({"dispute": {**NOTE, "amount": "-5.00"}}, "amount is '-5.00'; a number above zero was expected"),
        ({"dispute": {**NOTE, "amount": None}}, "amount is 'None'; a number above zero was expected"),
        ({"dispute": {**NOTE, "currency": "usd"}}, "currency is 'usd'; three capital letters were expected"),
        ({"dispute": {**NOTE, "status": "settled"}}, "status is 'settled'; open, won or lost was expected"),
        ({"dispute": {**NOTE, "status": ["won"]}}, "status is ['won']; open, won or lost was expected"),
        ({"other_disputes": "du_2"}, "other_disputes is 'du_2'; a list of ids was expected"),
        ({"other_disputes": [None]}, "a dispute's id is None; the gateway's id was expected"),
    ],
)
def test_a_note_that_says_nothing_true_stops_the_migration(
    payment: Payment, metadata: dict[str, Any], sentence: str
) -> None:
    noted(payment, **metadata)

    with pytest.raises(ValueError, match=f"^Payment {payment.pk} notes .*") as stopped:
        migrate()

    assert sentence in str(stopped.value)
    assert "correct igny8_payments.metadata of this payment, and migrate again" in str(stopped.value)


def test_a_dispute_of_two_payments_stops_the_migration(stripe: FakeStripe, payment: Payment) -> None:
    invoice = make.invoice(payment.account)
    noted(payment, dispute=NOTE)
    second = noted(paid(stripe, invoice), dispute=NOTE)

    with pytest.raises(ValueError, match=f"^Payment {second.pk} .* dispute du_1 is noted by payment {payment.pk}, too"):
        migrate()


def test_a_dispute_of_a_bank_transfer_stops_the_migration(payment: Payment) -> None:
    unguarded("igny8_payments")
    noted(payment, dispute=NOTE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE igny8_payments SET payment_method = 'bank_transfer'")

    with pytest.raises(ValueError, match="it was paid by bank_transfer, which knows no disputes"):
        migrate()

    assert rows() == []


def test_notes_are_neither_read_nor_written_any_more(stripe: FakeStripe, payment: Payment) -> None:
    dispute = stripe.open_dispute(payment.gateway_object_id, 5000)["id"]
    noted(payment, dispute={**NOTE, "id": dispute, "status": "won"}, other_disputes=["du_2"])
    before = dict(payment.metadata)
    stripe.close_dispute(dispute, won=False)

    assert found() == [("dispute", True)]

    assert Dispute.objects.values_list("gateway_dispute_id", "status").get() == (dispute, "lost")
    assert Payment.objects.get().metadata == before
