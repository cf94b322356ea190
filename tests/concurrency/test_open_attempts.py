"""A customer pays at the gateway at the moment at which the attempt is closed for something else: one of the two wins.

Either the payment counts, once, and the operation says so; or the operation is done, and no money is kept.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.account_deletion import service as account_deletion
from igny8_core.business.billing.errors import (
    InvoicePaidMeanwhile,
    MoneyOpen,
    PaymentBeingChecked,
    PaymentDeclined,
    PaymentUnderWay,
)
from igny8_core.business.billing.gateways.paypal.charges import PayPalGateway
from igny8_core.business.billing.gateways.stripe.charges import StripeGateway
from igny8_core.business.billing.models import CreditGrant, Invoice, Payment, Refund
from igny8_core.business.billing.services.collection import gateway_payments
from igny8_core.business.billing.services.collection.attempts import Attempt
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payments.checkout import pay_invoice
from igny8_core.business.billing.services.reconciliation.polling import poll_due
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.common.errors import TransitionNotAllowed
from tests import make
from tests.concurrency.interleave import Rival, run_before
from tests.concurrency.race import all_at_once, kinds
from tests.rows import now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_balance")]

Operation = Callable[[Invoice], object]


def confirm(invoice: Invoice) -> object:
    return make.submitted_payment(invoice)


def ask_how_to_pay_by_bank(invoice: Invoice) -> object:
    return pay_invoice(invoice, "bank_transfer")


def cancel(invoice: Invoice) -> object:
    assert invoice.subscription
    return SubscriptionService.cancel_subscription(invoice.subscription, cancel_at_period_end=False)


def void(invoice: Invoice) -> object:
    return InvoiceService.mark_void(invoice, "Mistake")


def delete_account(invoice: Invoice) -> object:
    assert invoice.account.owner
    return account_deletion.delete_account(invoice.account, invoice.account.owner, make.PASSWORD)


OPERATIONS = [confirm, ask_how_to_pay_by_bank, cancel, void, delete_account]
every_operation = pytest.mark.parametrize("operation", OPERATIONS)


@pytest.fixture
def invoice(stripe: FakeStripe, paypal: FakePayPal) -> Invoice:
    make.payment_method(payment_method="paypal", display_name="PayPal")
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    return invoice


def approved(paypal: FakePayPal, invoice: Invoice) -> Payment:
    payment = PaymentService.create_paypal_payment(invoice).payment
    paypal.approve(payment.gateway_object_id)
    return payment


def outcome_of(call: Callable[[], object]) -> object:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 (the test judges it)
        return error


def require_paid_once(payment: Payment, outcome: object) -> None:
    assert isinstance(outcome, InvoicePaidMeanwhile)
    assert (now(payment).status, now(payment.invoice).status) == ("succeeded", "paid")
    assert CreditGrant.objects.filter(account=payment.account_id).count() == 1
    assert Payment.objects.filter(invoice=payment.invoice_id).count() == 1


def require_done(payment: Payment, outcome: object, operation: Operation) -> None:
    assert not isinstance(outcome, Exception)
    assert now(payment).status == "canceled"
    stays = operation in {confirm, ask_how_to_pay_by_bank}
    assert now(payment.invoice).status == ("pending" if stays else "void")
    assert not CreditGrant.objects.filter(account=payment.account_id).exists()


def raced(place: Any, name: str, rival: Callable[[], object], operation: Callable[[], object]) -> tuple[object, Rival]:
    """What the operation came to, with the rival's whole turn just before its first use of `place.name`."""
    with ExitStack() as stack:
        running = stack.enter_context(run_before(place, name, rival))
        outcome = outcome_of(operation)
    return outcome, running


# --- Cards ----------------------------------------------------------------------------------------------------------


@every_operation
def test_a_card_that_pays_before_stripe_hears_of_the_end_has_paid(
    stripe: FakeStripe, invoice: Invoice, operation: Operation
) -> None:
    attempt = PaymentService.create_stripe_payment(invoice)
    assert attempt.charge
    pay = partial(stripe.pay_in_browser, attempt.charge.client_secret)

    outcome, _ = raced(StripeGateway, "cancel", pay, partial(operation, invoice))

    require_paid_once(attempt.payment, outcome)


@every_operation
def test_a_card_that_would_pay_after_the_end_at_stripe_is_refused_there(
    stripe: FakeStripe, invoice: Invoice, operation: Operation
) -> None:
    attempt = PaymentService.create_stripe_payment(invoice)
    assert attempt.charge
    pay = partial(stripe.pay_in_browser, attempt.charge.client_secret)

    outcome, rival = raced(gateway_payments, "apply_charge", pay, partial(operation, invoice))

    assert isinstance(rival.outcome(), Exception)
    assert stripe.all("charge") == []
    require_done(attempt.payment, outcome, operation)


@every_operation
def test_a_success_that_is_recorded_while_the_attempt_is_closed_counts_once(
    stripe: FakeStripe, invoice: Invoice, operation: Operation
) -> None:
    attempt = PaymentService.create_stripe_payment(invoice)
    assert attempt.charge
    stripe.pay_in_browser(attempt.charge.client_secret)
    told = partial(PaymentService.handle_stripe_success, attempt.charge.object_id)

    outcome, rival = raced(StripeGateway, "cancel", told, partial(operation, invoice))

    assert isinstance(rival.outcome(), Payment)
    require_paid_once(attempt.payment, outcome)


@every_operation
def test_while_a_saved_card_is_being_charged_nothing_else_is_done_and_it_is_charged_once(
    stripe: FakeStripe, invoice: Invoice, operation: Operation
) -> None:
    card = make.saved_card(stripe, invoice.account).gateway_method_id
    pay = partial(PaymentService.create_stripe_payment, invoice, card)

    paid, rival = raced(StripeGateway, "start", partial(operation, invoice), pay)

    assert isinstance(paid, Attempt)
    assert isinstance(rival.outcome(), PaymentBeingChecked | PaymentUnderWay | TransitionNotAllowed | MoneyOpen)
    assert (now(paid.payment).status, now(invoice).status) == ("succeeded", "paid")
    assert sum(charge["paid"] for charge in stripe.all("charge")) == 1


@every_operation
def test_an_attempt_that_is_begun_meanwhile_is_closed_too(
    stripe: FakeStripe, invoice: Invoice, operation: Operation
) -> None:
    first = PaymentService.create_stripe_payment(invoice).payment
    begin = partial(PaymentService.create_paypal_payment, invoice)

    outcome, rival = raced(gateway_payments, "_nothing_left_to_close", begin, partial(operation, invoice))

    second = rival.outcome()
    assert isinstance(second, Attempt)
    for payment in (first, second.payment):
        require_done(payment, outcome, operation)


# --- PayPal ---------------------------------------------------------------------------------------------------------


@every_operation
@pytest.mark.parametrize(("place", "name"), [(PayPalGateway, "cancel"), (gateway_payments, "mark_abandoned")])
def test_an_order_that_is_taken_before_it_is_given_up_has_paid(
    paypal: FakePayPal, invoice: Invoice, operation: Operation, place: Any, name: str
) -> None:
    payment = approved(paypal, invoice)

    outcome, _ = raced(place, name, partial(PaymentService.complete_payment, payment), partial(operation, invoice))

    require_paid_once(payment, outcome)
    assert len(paypal.captures) == 1


@every_operation
@pytest.mark.parametrize("is_lost", [False, True])
def test_an_order_that_is_given_up_while_its_money_is_taken_gives_it_back(
    paypal: FakePayPal, invoice: Invoice, operation: Operation, is_lost: bool
) -> None:
    payment = approved(paypal, invoice)
    if is_lost:
        paypal.troubles.hang_up_after("/capture", times=3)
    pay = partial(PaymentService.complete_payment, payment)

    outcome, rival = raced(PayPalGateway, "complete", partial(operation, invoice), pay)

    assert isinstance(outcome, PaymentDeclined)
    require_done(payment, rival.outcome(), operation)
    # The checks find what nobody was told, and send back what is to go back.
    for queue in (Payment.objects.filter(next_check_at__isnull=False), Refund.objects.all()):
        queue.update(next_check_at=timezone.now())
        poll_due()
    assert Refund.objects.get(payment=payment).status == "succeeded"
    assert [capture.status for capture in paypal.captures.values()] == ["REFUNDED"]


# --- All at once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [confirm, cancel, void])
def test_many_at_the_same_moment_leave_one_outcome(stripe: FakeStripe, invoice: Invoice, operation: Operation) -> None:
    attempt = PaymentService.create_stripe_payment(invoice)
    assert attempt.charge
    calls: list[Callable[[], object]] = [
        partial(stripe.pay_in_browser, attempt.charge.client_secret),
        partial(PaymentService.handle_stripe_success, attempt.charge.object_id),
        partial(PaymentService.complete_payment, attempt.payment),
        partial(operation, invoice),
        partial(operation, invoice),
    ]

    outcomes = all_at_once(calls)
    PaymentService.handle_stripe_success(attempt.charge.object_id)

    charges = sum(charge["paid"] for charge in stripe.all("charge"))
    is_paid = now(invoice).status == "paid"
    assert (charges, now(attempt.payment).status) == ((1, "succeeded") if is_paid else (0, "canceled"))
    assert CreditGrant.objects.filter(account=invoice.account).count() == charges
    assert "RuntimeError" not in kinds(outcomes)
