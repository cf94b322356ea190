"""Payments and refunds at a gateway at the same moment: one charge, one grant, never more back than came in."""

import random
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.gateways import configured_stripe
from igny8_core.business.billing.gateways.protocol import GatewayRefund, RefundState
from igny8_core.business.billing.models import CreditGrant, CreditNote, Invoice, Payment, Refund
from igny8_core.business.billing.services import settlement
from igny8_core.business.billing.services.collection.outcomes import apply_charge
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.polling import check_payment_now
from igny8_core.business.billing.services.refunds.gateway_refunds import book_external_refund, sync_refunds
from igny8_core.events.models import Event
from tests import make
from tests.cases import run_rounds
from tests.concurrency.interleave import run_before
from tests.concurrency.race import all_at_once, kinds
from tests.concurrency.unlocked import without_row_locks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_balance")]
THREADS = 8
FEW, MORE = 3, 6


def invoice_of_plan() -> Invoice:
    return make.subscription().invoices.get()


def paid(stripe: FakeStripe) -> Payment:
    invoice = invoice_of_plan()
    card = make.saved_card(stripe, invoice.account).gateway_method_id
    return PaymentService.create_stripe_payment(invoice, card).payment


def charges_of(stripe: FakeStripe, invoice: Invoice) -> int:
    named = {i["id"] for i in stripe.all("payment_intent") if i["metadata"].get("invoice_id") == str(invoice.pk)}
    return sum(charge["paid"] and charge["payment_intent"] in named for charge in stripe.all("charge"))


@run_rounds(FEW, MORE)
def test_many_who_pay_one_invoice_charge_one_card(stripe: FakeStripe, rounds: int) -> None:
    for _ in range(rounds):
        invoice = invoice_of_plan()
        card = make.saved_card(stripe, invoice.account).gateway_method_id

        outcomes = all_at_once([partial(PaymentService.create_stripe_payment, invoice, card)] * THREADS)

        others = set(kinds(outcomes)) - {"Attempt"}
        assert others <= {"PaymentBeingChecked", "InvoiceNotPayable"}
        assert charges_of(stripe, invoice) == 1
        assert CreditGrant.objects.filter(account=invoice.account).count() == 1


@run_rounds(FEW, MORE)
def test_one_request_that_comes_many_times_is_one_attempt(stripe: FakeStripe, rounds: int) -> None:
    for number in range(rounds):
        invoice, key = invoice_of_plan(), f"{number:064}"
        card = make.saved_card(stripe, invoice.account).gateway_method_id

        outcomes = all_at_once(
            [partial(PaymentService.create_stripe_payment, invoice, card, request_key=key)] * THREADS
        )

        assert kinds(outcomes) == {"Attempt": THREADS}
        assert (charges_of(stripe, invoice), Payment.objects.filter(invoice=invoice).count()) == (1, 1)


@run_rounds(FEW, MORE)
def test_answer_message_check_and_return_of_one_success_settle_it_once(stripe: FakeStripe, rounds: int) -> None:
    for _ in range(rounds):
        invoice = invoice_of_plan()
        make.customer_at_stripe(stripe, invoice.account)
        attempt = PaymentService.create_stripe_payment(invoice)
        payment, intent = attempt.payment, attempt.charge.object_id
        stripe.pay_in_browser(attempt.charge.client_secret)
        ways: list[Any] = [
            partial(PaymentService.handle_stripe_success, intent),
            partial(PaymentService.complete_payment, payment),
            partial(check_payment_now, payment),
            partial(PaymentService.handle_stripe_failure, intent),
        ]

        outcomes = all_at_once(ways * (THREADS // 4))

        assert set(kinds(outcomes)) <= {"Payment", "Attempt"}
        assert CreditGrant.objects.filter(account=invoice.account).count() == 1
        events = Event.objects.filter(object_type="billing.payment", object_id=str(payment.pk))
        assert events.filter(type="payment.succeeded").count() == 1


def test_without_the_lock_one_success_could_be_settled_twice_but_for_the_second_belt(stripe: FakeStripe) -> None:
    """The canary: a rival settles while the success is booked; only the conditional move refuses the second."""
    invoice = invoice_of_plan()
    make.customer_at_stripe(stripe, invoice.account)
    attempt = PaymentService.create_stripe_payment(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret)
    charge = configured_stripe().fetch(attempt.charge.object_id)

    with (
        without_row_locks(),
        run_before(settlement, "_grant_credits", partial(apply_charge, attempt.payment, charge)) as rival,
    ):
        apply_charge(attempt.payment, charge)

    assert rival.had_to_wait
    assert CreditGrant.objects.filter(account=invoice.account).count() == 1


@run_rounds(FEW, MORE)
def test_refunds_in_parts_never_give_back_more_than_was_captured(stripe: FakeStripe, rounds: int) -> None:
    pick = random.Random(20261125)
    for _ in range(rounds):
        payment = paid(stripe)
        parts = [Decimal(pick.randint(1, 6000)) / 100 for _ in range(THREADS)]

        outcomes = all_at_once([partial(PaymentService.process_refund, payment, part) for part in parts])

        allowed = {"CreditNote", "RefundUnderWay", "RefundExceedsPayment", "PaymentNotRefundable"}
        assert set(kinds(outcomes)) <= allowed
        now = Payment.objects.get(pk=payment.pk)
        notes = CreditNote.objects.filter(payment=payment).values_list("amount", flat=True)
        mine = [r for r in stripe.all("refund") if r["payment_intent"] == payment.gateway_object_id]
        assert sum(notes, Decimal(0)) == now.refunded_amount <= now.amount
        assert sum(refund["amount"] for refund in mine) == now.refunded_amount * 100


@run_rounds(FEW, MORE)
def test_a_refund_here_and_one_at_the_gateway_at_the_same_moment_are_both_booked_once(
    stripe: FakeStripe, rounds: int
) -> None:
    for _ in range(rounds):
        payment = paid(stripe)
        stripe.refund_in_dashboard(payment.gateway_object_id, 3000)

        all_at_once(
            [
                *[partial(sync_refunds, payment)] * (THREADS // 2),
                *[partial(PaymentService.process_refund, payment, Decimal("20.00"))] * (THREADS // 2),
            ]
        )
        sync_refunds(payment)

        mine = [r for r in stripe.all("refund") if r["payment_intent"] == payment.gateway_object_id]
        now = Payment.objects.get(pk=payment.pk)
        assert now.refunded_amount * 100 == sum(refund["amount"] for refund in mine)
        assert CreditNote.objects.filter(payment=payment).count() == len(mine)


@run_rounds(FEW, MORE)
def test_a_refund_and_a_lost_dispute_together_take_no_more_than_came_in(stripe: FakeStripe, rounds: int) -> None:
    for _ in range(rounds):
        payment = paid(stripe)
        lost = GatewayRefund(f"du_{payment.pk}", RefundState.SUCCEEDED, Decimal("89.00"), "USD")

        all_at_once(
            [
                *[partial(book_external_refund, payment, lost, "Dispute lost")] * (THREADS // 2),
                *[partial(PaymentService.process_refund, payment, Decimal("20.00"))] * (THREADS // 2),
            ]
        )

        now = Payment.objects.get(pk=payment.pk)
        assert now.refunded_amount <= now.amount
        assert Refund.objects.filter(payment=payment, gateway_refund_id=lost.refund_id).count() <= 1
        assert now.needs_review or now.refunded_amount == now.amount
