"""Paying by card: what each answer of Stripe does to payment, invoice, subscription and credits."""

from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account
from igny8_core.business.billing import errors
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, Invoice, Payment, Refund
from igny8_core.business.billing.services.collection.attempts import NextStep
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make
from tests.rows import now

pytestmark = pytest.mark.django_db


def card(stripe: FakeStripe, invoice: Invoice, name: str = "pm_card_visa") -> str:
    return stripe.save_card(invoice.account.stripe_customer_id, name)


def pay(invoice: Invoice, card: str = "", **charge_request: Any) -> Any:
    return PaymentService.create_stripe_payment(invoice, card, **charge_request)


def events_of(payment: Payment) -> list[str]:
    events = Event.objects.filter(object_type="billing.payment", object_id=str(payment.pk)).order_by("pk")
    return list(events.values_list("type", flat=True))


# --- A card that works ----------------------------------------------------------------------------------------------


def test_a_saved_card_pays_at_once(stripe: FakeStripe, invoice: Invoice) -> None:
    attempt = pay(invoice, card(stripe, invoice))

    payment, account = attempt.payment, Account.objects.get(pk=invoice.account_id)
    assert (payment.status, now(invoice).status) == ("succeeded", "paid")
    assert attempt.next_step == NextStep.NONE
    assert (account.status, account.credits, now(invoice).subscription.status) == ("active", 1000, "active")
    assert payment.gateway_object_id.startswith("pi_")
    assert payment.gateway_capture_id.startswith("ch_")
    assert events_of(payment) == ["payment.started", "payment.succeeded"]
    assert stripe.charges_count(str(payment.uuid)) == 1
    assert broken_invariants() == []


def test_a_card_that_is_entered_in_the_browser_pays_when_stripe_says_so(stripe: FakeStripe, invoice: Invoice) -> None:
    attempt = pay(invoice)
    assert (attempt.next_step, attempt.payment.status) == (NextStep.ENTER_CARD, "pending")

    stripe.pay_in_browser(attempt.charge.client_secret)
    assert now(invoice).status == "pending"
    done = PaymentService.complete_payment(now(attempt.payment))

    assert (done.payment.status, now(invoice).status) == ("succeeded", "paid")
    assert broken_invariants() == []


def test_the_bank_asks_and_the_customer_proves_who_they_are(stripe: FakeStripe, invoice: Invoice) -> None:
    attempt = pay(invoice, card(stripe, invoice, "pm_card_authenticationRequired"))
    assert (attempt.next_step, attempt.payment.status) == (NextStep.AUTHENTICATE, "pending")

    stripe.authenticate(attempt.charge.object_id)
    PaymentService.handle_stripe_success(attempt.charge.object_id)

    assert (now(attempt.payment).status, now(invoice).status) == ("succeeded", "paid")


def test_who_fails_to_prove_it_has_not_paid_and_can_pay_again(stripe: FakeStripe, invoice: Invoice) -> None:
    attempt = pay(invoice, card(stripe, invoice, "pm_card_authenticationRequired"))

    stripe.fail_authentication(attempt.charge.object_id)
    PaymentService.handle_stripe_failure(attempt.charge.object_id)
    again = pay(invoice, card(stripe, invoice))

    assert (now(attempt.payment).status, again.payment.status, now(invoice).status) == ("failed", "succeeded", "paid")
    assert len(stripe.all("charge")) >= 1
    assert sum(charge["paid"] for charge in stripe.all("charge")) == 1


def test_what_is_bought_is_granted_once_however_often_stripe_is_asked(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = pay(invoice, card(stripe, invoice)).payment

    for _ in range(3):
        PaymentService.handle_stripe_success(payment.gateway_object_id)
        PaymentService.handle_stripe_failure(payment.gateway_object_id)
        PaymentService.complete_payment(now(payment))

    assert CreditGrant.objects.filter(account=invoice.account).count() == 1
    assert events_of(payment) == ["payment.started", "payment.succeeded"]


def test_the_amount_is_what_is_due_in_the_currency_s_smallest_unit(stripe: FakeStripe) -> None:
    tenant = make.owner().account
    lines = [{"description": "Consulting", "quantity": 1, "amount": "8900"}]
    invoice = make.invoice(tenant, line_items=lines, currency="JPY")
    make.customer_at_stripe(stripe, invoice.account)

    payment = pay(invoice, card(stripe, invoice)).payment

    intent = stripe.one(payment.gateway_object_id)
    assert (intent["amount"], intent["currency"], payment.status) == (8900, "jpy", "succeeded")
    assert intent["metadata"]["payment_id"] == str(payment.uuid)


# --- Refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedExpiredCard"]
)
def test_a_declined_card_leaves_the_invoice_open_for_another_one(
    stripe: FakeStripe, invoice: Invoice, name: str
) -> None:
    bad = stripe.save_card(invoice.account.stripe_customer_id)
    stripe.set_card_declines(bad, {"pm_card_chargeDeclined": "generic_decline"}.get(name, "insufficient_funds"))

    with pytest.raises(errors.PaymentDeclined) as refusal:
        pay(invoice, bad)

    payment = Payment.objects.get(invoice=invoice)
    assert refusal.value.http_status == 402
    assert (payment.status, now(invoice).status) == ("failed", "pending")
    assert payment.failure_reason == refusal.value.text != ""
    assert stripe.one(payment.gateway_object_id)["status"] == "canceled"
    assert pay(invoice, card(stripe, invoice)).payment.status == "succeeded"
    assert broken_invariants() == []


def test_a_card_declined_in_the_browser_can_be_followed_by_another_in_the_same_form(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    attempt = pay(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret, "pm_card_chargeDeclined")

    PaymentService.handle_stripe_failure(attempt.charge.object_id)
    between = now(attempt.payment)
    stripe.pay_in_browser(attempt.charge.client_secret, "pm_card_visa")
    PaymentService.handle_stripe_success(attempt.charge.object_id)

    assert (between.status, between.failure_reason != "") == ("pending", True)
    assert (now(attempt.payment).status, now(attempt.payment).failure_reason) == ("succeeded", "")


def test_another_customer_s_card_is_refused_before_anything_is_tried(stripe: FakeStripe, invoice: Invoice) -> None:
    stranger = make.owner().account
    foreign = stripe.save_card(make.customer_at_stripe(stripe, stranger))

    for unknown in (foreign, "pm_1234567890"):
        with pytest.raises(errors.SavedMethodNotFound):
            pay(invoice, unknown)

    assert not Payment.objects.exists()


def test_off_session_the_bank_s_question_leaves_the_invoice_open_and_asks_the_customer(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    asking = card(stripe, invoice, "pm_card_authenticationRequired")

    with pytest.raises(errors.AuthenticationRequired):
        pay(invoice, asking, off_session=True)

    payment = Payment.objects.get(invoice=invoice)
    assert (payment.status, now(invoice).status) == ("failed", "pending")
    assert events_of(payment) == ["payment.started", "payment.failed", "payment.action_required"]
    # With the customer there it is a new attempt with the same card.
    attempt = pay(invoice, asking)
    stripe.authenticate(attempt.charge.object_id)
    assert PaymentService.complete_payment(now(attempt.payment)).payment.status == "succeeded"


def test_without_keys_nothing_is_begun(invoice: Invoice, settings: Any) -> None:
    settings.STRIPE = None

    with pytest.raises(errors.GatewayNotConfigured):
        pay(invoice)

    assert not Payment.objects.exists()


def test_a_gateway_is_never_asked_inside_a_transaction(
    stripe: FakeStripe, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        pay(invoice)


def test_wrong_keys_are_our_fault_and_charge_nobody(stripe: FakeStripe, invoice: Invoice) -> None:
    stripe.answer_next(401, method="POST", path="/v1/payment_intents")

    with pytest.raises(errors.GatewayMisconfigured):
        pay(invoice, card(stripe, invoice))

    assert Payment.objects.get().status == "failed"
    assert stripe.charges_count() == 0


def test_an_address_that_nobody_listens_at_charges_nobody_and_lets_the_customer_try_again(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    saved = card(stripe, invoice)
    stripe.refuse_next_connections(3, method="POST", path="/v1/payment_intents")

    with pytest.raises(errors.GatewayUnavailable):
        pay(invoice, saved, request_key="a" * 64)

    refused = Payment.objects.get()
    assert (refused.status, stripe.charges_count()) == ("failed", 0)
    assert pay(invoice, saved, request_key="a" * 64).payment.status == "succeeded"


# --- One attempt at a time ------------------------------------------------------------------------------------------


def test_the_form_that_was_left_open_goes_on(stripe: FakeStripe, invoice: Invoice) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        first = pay(invoice)
        clock.shift(60)
        second = pay(invoice)

    assert first.payment == second.payment
    assert first.charge.client_secret == second.charge.client_secret


def test_a_saved_card_takes_the_place_of_a_form_that_was_left_open(stripe: FakeStripe, invoice: Invoice) -> None:
    form = pay(invoice)

    paid = pay(invoice, card(stripe, invoice))

    assert (now(form.payment).status, paid.payment.status) == ("canceled", "succeeded")
    assert stripe.one(form.charge.object_id)["status"] == "canceled"


def test_a_form_that_was_paid_meanwhile_is_settled_instead_of_charged_again(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    form = pay(invoice)
    stripe.pay_in_browser(form.charge.client_secret)

    with pytest.raises(errors.InvoicePaidMeanwhile):
        pay(invoice, card(stripe, invoice))

    assert now(form.payment).status == "succeeded"
    assert sum(charge["paid"] for charge in stripe.all("charge")) == 1


def test_while_the_gateway_decides_nothing_else_is_begun(stripe: FakeStripe, invoice: Invoice) -> None:
    stripe.leave_processing()
    payment = pay(invoice, card(stripe, invoice)).payment

    for method in (card(stripe, invoice), ""):
        with pytest.raises(errors.PaymentBeingChecked):
            pay(invoice, method)
    with pytest.raises(errors.PaymentBeingChecked):
        make.submitted_payment(invoice)
    stripe.finish_processing(payment.gateway_object_id)
    PaymentService.handle_stripe_success(payment.gateway_object_id)

    assert (now(payment).status, now(invoice).status) == ("succeeded", "paid")
    assert "payment.processing" in events_of(payment)


def test_a_confirmation_that_waits_for_an_operator_comes_first(stripe: FakeStripe, invoice: Invoice) -> None:
    make.submitted_payment(invoice)

    with pytest.raises(errors.ConfirmationAlreadyOpen):
        pay(invoice, card(stripe, invoice))


def test_one_request_key_is_one_attempt_and_one_charge(stripe: FakeStripe, invoice: Invoice) -> None:
    saved = card(stripe, invoice)

    attempts = [pay(invoice, saved, request_key="a" * 64) for _ in range(3)]

    assert len({attempt.payment.pk for attempt in attempts}) == 1
    assert stripe.charges_count() == 1
    with pytest.raises(errors.RequestKeyReused):
        pay(make.invoice(invoice.account), saved, request_key="a" * 64)


# --- What does not fit ----------------------------------------------------------------------------------------------


def test_another_amount_at_the_gateway_settles_nothing_and_waits_for_an_operator(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    attempt = pay(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret)
    Payment.objects.filter(pk=attempt.payment.pk).update(amount=Decimal("88.99"))

    PaymentService.handle_stripe_success(attempt.charge.object_id)

    payment = now(attempt.payment)
    assert (payment.status, payment.needs_review, now(invoice).status) == ("pending", True, "pending")
    assert payment.review_reason == "The gateway took 89.00 USD; 88.99 USD was due."
    assert events_of(payment)[-1] == "payment.needs_review"
    assert not CreditGrant.objects.filter(account=invoice.account).exists()


def test_a_charge_of_another_customer_settles_nothing(stripe: FakeStripe, invoice: Invoice) -> None:
    attempt = pay(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret)
    Account.objects.filter(pk=invoice.account_id).update(stripe_customer_id="cus_other")

    PaymentService.handle_stripe_success(attempt.charge.object_id)

    assert (now(attempt.payment).needs_review, now(invoice).status) == (True, "pending")


def test_money_for_an_invoice_that_was_closed_meanwhile_goes_back(stripe: FakeStripe, invoice: Invoice) -> None:
    attempt = pay(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret)
    Payment.objects.filter(pk=attempt.payment.pk).update(status="canceled", next_check_at=None)
    InvoiceService.mark_void(invoice, "Not wanted any more")

    PaymentService.handle_stripe_success(attempt.charge.object_id)

    refund = Refund.objects.get()
    assert (now(attempt.payment).status, now(invoice).status) == ("canceled", "void")
    assert (refund.is_return, refund.amount, refund.status) == (True, Decimal("89.00"), "pending")
    assert refund.next_check_at is not None


def test_an_object_of_another_product_is_not_ours(stripe: FakeStripe, invoice: Invoice) -> None:
    foreign = stripe.create_payment_intent(
        {"amount": 100, "currency": "usd", "metadata": {}, "customer": invoice.account.stripe_customer_id}
    )

    assert PaymentService.handle_stripe_success(foreign["id"]) is None
    assert PaymentService.handle_stripe_success("pi_unknown") is None


def test_a_payment_that_stripe_does_not_know_waits_for_an_operator_because_the_keys_may_be_wrong(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    payment = pay(invoice).payment
    Payment.objects.filter(pk=payment.pk).update(gateway_object_id="pi_of_another_account")

    PaymentService.complete_payment(now(payment))

    assert (now(payment).needs_review, now(payment).status) == (True, "pending")


def test_a_key_that_was_revoked_after_the_charge_fails_nothing(stripe: FakeStripe, invoice: Invoice) -> None:
    stripe.lose_next_answers(3, method="POST", path="/v1/payment_intents")
    payment = pay(invoice, card(stripe, invoice)).payment
    stripe.answer_next(401, times=9, path="/v1/payment_intents")

    with pytest.raises(errors.GatewayMisconfigured):
        PaymentService.complete_payment(payment)

    assert now(payment).status == "unknown"


def test_a_loop_of_attempts_is_stopped_before_it_charges(stripe: FakeStripe, invoice: Invoice, settings: Any) -> None:
    settings.MAX_ATTEMPTS_OF_INVOICE_PER_DAY = 3
    saved = card(stripe, invoice)
    stripe.decline_next(times=3)
    for _ in range(3):
        with pytest.raises(errors.PaymentDeclined):
            pay(invoice, saved)

    with pytest.raises(errors.BillingBoundReached):
        pay(invoice, saved)

    assert Payment.objects.filter(invoice=invoice).count() == 3
    assert sum(charge["paid"] for charge in stripe.all("charge")) == 0
