"""A worker killed -9 at any step of a payment or refund by card leaves nothing that the checks do not put right."""

from collections.abc import Callable, Iterator
from random import randrange
from typing import Any

import pytest
from django.utils import timezone

from fake_gateways import stripe_server
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, CreditNote, Invoice, Payment, Refund
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.polling import poll_due
from tests import make
from tests.concurrency.killed import killed_before

pytestmark = pytest.mark.django_db(transaction=True)
MOST_STEPS = 200


@pytest.fixture
def stripe_at_a_port(settings: Any) -> Iterator[FakeStripe]:
    """The stand-in for Stripe behind a port: it lives on when a worker dies."""
    fake = FakeStripe()
    server = stripe_server.serve(fake)
    settings.STRIPE = StripeSettings("sk_test_key", "pk_test_key", ("whsec_test",), live=False, api_base=server.address)
    yield fake
    server.stop()


def recover() -> None:
    """What the scheduled checks do once their time has come."""
    for model in (Payment, Refund):
        model.objects.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
    poll_due()


def killed_on_the_way(
    pace: int, prepare: Callable[[], Any], work: Callable[[Any], object], judge: Callable[[Any], None]
) -> int:
    """Kill a new process before one of `pace` steps in turn, until one gets through; returns that step's number."""
    for step in range(randrange(pace), MOST_STEPS, pace):
        subject = prepare()
        was_killed = killed_before(step, lambda subject=subject: work(subject))
        recover()
        judge(subject)
        assert broken_invariants() == []
        if not was_killed:
            return step
    raise AssertionError(f"There are more than {MOST_STEPS} steps.")


def paid_charges(fake: FakeStripe, invoice: Invoice) -> int:
    intents = {i["id"] for i in fake.all("payment_intent") if i["metadata"].get("invoice_id") == str(invoice.pk)}
    return sum(charge["paid"] and charge["payment_intent"] in intents for charge in fake.all("charge"))


def test_of_a_card_payment_there_is_one_charge_and_one_grant_wherever_it_was_cut_off(
    stripe_at_a_port: FakeStripe, pace: int
) -> None:
    fake = stripe_at_a_port

    def prepare() -> tuple[Invoice, str]:
        invoice = make.subscription().invoices.get()
        return invoice, make.saved_card(fake, invoice.account).gateway_method_id

    def pay(subject: tuple[Invoice, str]) -> None:
        PaymentService.create_stripe_payment(*subject)

    def judge(subject: tuple[Invoice, str]) -> None:
        invoice = Invoice.objects.get(pk=subject[0].pk)
        if not Payment.objects.filter(invoice=invoice).exists():
            # It was cut off before the attempt was committed: nobody was charged, and the customer pays again.
            assert paid_charges(fake, invoice) == 0
            PaymentService.create_stripe_payment(invoice, subject[1])
        assert Payment.objects.get(invoice=invoice).status == "succeeded"
        assert Invoice.objects.get(pk=invoice.pk).status == "paid"
        assert paid_charges(fake, invoice) == 1
        assert CreditGrant.objects.filter(account=invoice.account).count() == 1

    steps = killed_on_the_way(pace, prepare, pay, judge)

    assert steps > 20


@pytest.mark.stress
def test_of_a_refund_there_is_one_credit_note_and_the_money_goes_back_once(
    stripe_at_a_port: FakeStripe, pace: int
) -> None:
    fake = stripe_at_a_port

    def prepare() -> Payment:
        invoice = make.subscription().invoices.get()
        card = make.saved_card(fake, invoice.account).gateway_method_id
        return PaymentService.create_stripe_payment(invoice, card).payment

    def refund(payment: Payment) -> None:
        PaymentService.process_refund(payment, reason="Goodwill")

    def judge(payment: Payment) -> None:
        if not Refund.objects.filter(payment=payment).exists():
            PaymentService.process_refund(payment, reason="Goodwill")
        assert Payment.objects.get(pk=payment.pk).status == "refunded"
        assert CreditNote.objects.filter(payment=payment).count() == 1
        of_it = [each for each in fake.all("refund") if each["payment_intent"] == payment.gateway_object_id]
        assert [each["amount"] for each in of_it] == [8900]

    steps = killed_on_the_way(pace, prepare, refund, judge)

    assert steps > 15
