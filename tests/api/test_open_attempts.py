"""An attempt at a gateway that is open holds nothing: it is closed, and what it was in the way of is done."""

from itertools import cycle
from typing import Any

import pytest
from django.utils import timezone

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Subscription
from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, Payment, Refund
from igny8_core.business.billing.services.collection.attempts import begin_attempt
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.polling import poll_due
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from tests import make
from tests.api.attempts import ATTEMPTS, Login, Stage, approved_order, bank_asks, card_form, order
from tests.api.world import fingerprint, refusal
from tests.cases import some_of
from tests.rows import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None, as_user: Login, stripe: FakeStripe, paypal: FakePayPal) -> Stage:
    return Stage(as_user, stripe, paypal)


def confirm(stage: Stage, key: str = "") -> Any:
    due = {"amount": str(stage.invoice.total), "manual_reference": "BT-1", "payment_method": "bank_transfer"}
    return stage.post("billing/admin/payments/confirm/", key, invoice_id=stage.invoice.pk, **due)


def ask_how_to_pay_by_bank(stage: Stage, key: str = "") -> Any:
    return stage.post(f"billing/invoices/{stage.invoice.pk}/pay/", key, payment_method="bank_transfer")


def cancel(stage: Stage, key: str = "") -> Any:
    return stage.post("billing/subscriptions/cancel/", key, at_period_end=False)


def cancel_later(stage: Stage, key: str = "") -> Any:
    return stage.post("billing/subscriptions/cancel/", key, at_period_end=True)


def order_larger_plan(stage: Stage, key: str = "") -> Any:
    return stage.post("billing/subscriptions/upgrade/", key, plan_slug="scale")


def order_smaller_plan(stage: Stage, key: str = "") -> Any:
    return stage.post("billing/subscriptions/downgrade/", key, plan_slug="mini")


def void(stage: Stage, key: str = "") -> Any:
    return stage.post(f"admin/invoices/{stage.invoice.pk}/void/", key, client=stage.operator, reason="Mistake")


def delete_account(stage: Stage, key: str = "") -> Any:
    return stage.post("account/delete/", key, password=make.PASSWORD)


# Each with the status that its invoice has afterwards, and what it is refused with while the gateway decides.
OPERATIONS = {
    confirm: ("pending", "payment_being_checked"),
    ask_how_to_pay_by_bank: ("pending", "payment_being_checked"),
    cancel: ("void", "payment_under_way"),
    cancel_later: ("void", "payment_under_way"),
    order_larger_plan: ("void", "payment_under_way"),
    order_smaller_plan: ("void", "payment_under_way"),
    void: ("void", "move_not_allowed"),
    delete_account: ("void", "money_open"),
}


def paired(at_stripe: list[Any], at_paypal: list[Any]) -> list[tuple[Any, Any]]:
    """Each operation with one attempt at each gateway, in turn.

    An operation knows of an open attempt no more than that there is one; what closes it knows of no operation.
    """
    turns = cycle(at_stripe), cycle(at_paypal)
    return [(next(turn), operation) for operation in OPERATIONS for turn in turns]


OPEN = paired([card_form, bank_asks], [order, approved_order])
WITH_KEY = [(attempt, operation) for attempt, operation in OPEN if operation is not delete_account]


@pytest.mark.parametrize(("attempt", "operation"), some_of(OPEN, each=3, but=2))
def test_what_is_open_is_closed_first_and_then_it_is_done(stage: Stage, attempt: Any, operation: Any) -> None:
    payment = attempt(stage)

    answer = operation(stage)

    assert answer.status_code in {200, 201}, answer.content
    assert (now(payment).status, now(stage.invoice).status) == ("canceled", OPERATIONS[operation][0])
    if payment.payment_method == "stripe":
        assert stage.stripe.one(payment.gateway_object_id)["status"] == "canceled"
    else:
        # Whatever PayPal tells us later, its money is not taken.
        PaymentService.handle_paypal_success(payment.gateway_object_id)
    assert stage.taken() == 0
    assert broken_invariants() == []


@pytest.mark.parametrize(("attempt", "operation"), some_of(WITH_KEY, each=5, but=1))
def test_with_a_key_it_is_done_once_too(stage: Stage, attempt: Any, operation: Any) -> None:
    payment = attempt(stage)

    first = operation(stage, "one-key")
    before = fingerprint()
    second = operation(stage, "one-key")

    assert first.status_code in {200, 201}, first.content
    assert (second.content, second["Idempotent-Replayed"]) == (first.content, "true")
    assert now(payment).status == "canceled"
    assert fingerprint() == before


@pytest.mark.parametrize(("attempt", "method"), [(card_form, "paypal"), (bank_asks, "paypal"), (order, "stripe")])
def test_another_gateway_can_be_taken(stage: Stage, attempt: Any, method: str) -> None:
    payment = attempt(stage)

    answer = stage.post(f"billing/invoices/{stage.invoice.pk}/pay/", payment_method=method)

    assert (answer.status_code, now(payment).status) == (200, "canceled")
    assert answer.json()["data"]["attempt"]["status"] == "pending"


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_first_order_is_taken_back_and_another_plan_ordered(stage: Stage, as_user: Login, attempt: Any) -> None:
    stage.invoice = make.subscription().invoices.get()
    stage.account = stage.invoice.account
    assert stage.account.owner
    stage.client = as_user(stage.account.owner)
    make.customer_at_stripe(stage.stripe, stage.account)
    payment = attempt(stage)

    canceled = cancel(stage)
    ordered = stage.post("billing/subscriptions/create/", plan_slug="growth", payment_method="bank_transfer")

    assert (canceled.status_code, ordered.status_code) == (200, 201)
    assert (now(payment).status, now(stage.invoice).status) == ("canceled", "void")
    assert broken_invariants() == []


# --- Paid in the end ------------------------------------------------------------------------------------------------


def paid_in_browser(stage: Stage) -> Payment:
    attempt = PaymentService.create_stripe_payment(stage.invoice)
    assert attempt.charge
    stage.stripe.pay_in_browser(attempt.charge.client_secret)
    return attempt.payment


def proven_to_the_bank(stage: Stage) -> Payment:
    payment = bank_asks(stage)
    stage.stripe.authenticate(payment.gateway_object_id)
    return payment


def captured(stage: Stage) -> Payment:
    payment = approved_order(stage)
    gateway_of("paypal").complete(payment.gateway_object_id, str(payment.uuid))
    return payment


@pytest.mark.parametrize(
    ("attempt", "operation"), some_of(paired([paid_in_browser, proven_to_the_bank], [captured]), each=3)
)
def test_what_turns_out_to_be_paid_wins_and_is_said(stage: Stage, attempt: Any, operation: Any) -> None:
    payment, grants = attempt(stage), CreditGrant.objects.count()

    answer = operation(stage)

    assert (answer.status_code, refusal(answer)["code"]) == (409, "invoice_paid_meanwhile")
    assert (now(payment).status, now(stage.invoice).status) == ("succeeded", "paid")
    assert (now(stage.account).plan.slug, CreditGrant.objects.count()) == ("growth", grants + 1)
    assert (stage.taken(), Payment.objects.filter(invoice=stage.invoice).count()) == (1, 1)
    assert broken_invariants() == []


# --- What is no open attempt ----------------------------------------------------------------------------------------


IN_REVIEW = {"needs_review": True, "review_reason": "Other mode"}


@pytest.mark.parametrize(
    ("changes", "operation"), some_of(paired([{"status": "processing"}, {"status": "unknown"}], [IN_REVIEW]), each=5)
)
def test_money_that_may_be_on_its_way_refuses_with_the_true_reason(
    stage: Stage, operation: Any, changes: dict[str, Any]
) -> None:
    payment = card_form(stage)
    Payment.objects.filter(pk=payment.pk).update(**changes)
    before = fingerprint()

    answer = operation(stage)

    assert (answer.status_code, refusal(answer)["code"]) == (409, OPERATIONS[operation][1])
    assert "confirmation" not in refusal(answer)["message"].lower()
    assert fingerprint() == before
    assert stage.stripe.one(payment.gateway_object_id)["status"] != "canceled"


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (confirm, "confirmation_already_open"),
        (ask_how_to_pay_by_bank, "confirmation_already_open"),
        (cancel, "payment_under_way"),
        (void, "move_not_allowed"),
        (delete_account, "money_open"),
    ],
)
def test_a_confirmation_that_waits_refuses_and_is_named(stage: Stage, operation: Any, code: str) -> None:
    make.submitted_payment(stage.invoice)
    before = fingerprint()

    answer = operation(stage)

    assert (answer.status_code, refusal(answer)["code"]) == (409, code)
    assert "confirmation" in refusal(answer)["message"].lower()
    assert fingerprint() == before


@pytest.mark.parametrize("operation", some_of(OPERATIONS, each=4))
def test_money_that_paypal_is_found_to_look_at_refuses(stage: Stage, operation: Any) -> None:
    payment = approved_order(stage)
    stage.paypal.hold_capture(payment.gateway_object_id)
    gateway_of("paypal").complete(payment.gateway_object_id, str(payment.uuid))

    answer = operation(stage)

    assert (answer.status_code, refusal(answer)["code"]) == (409, "payment_being_checked")
    assert (now(payment).status, now(stage.invoice).status) == ("processing", "pending")


@pytest.mark.parametrize(("attempt", "operation"), some_of(OPEN, each=5))
def test_what_cannot_be_closed_now_refuses_and_nothing_is_changed(stage: Stage, attempt: Any, operation: Any) -> None:
    attempt(stage)
    stage.stripe.refuse_next_connections(times=9)
    stage.paypal.troubles.answer_next(503, "/orders/", times=9, method="GET")
    before = fingerprint()

    answer = operation(stage)

    assert (answer.status_code, refusal(answer)["code"]) == (503, "attempt_not_closed")
    assert fingerprint() == before


@pytest.mark.parametrize(
    "operation",
    [
        lambda stage: stage.post("account/delete/", password="wrong"),
        lambda stage: stage.post("billing/subscriptions/upgrade/", plan_slug="mini"),
        lambda stage: stage.post("billing/subscriptions/downgrade/", plan_slug="scale"),
        lambda stage: stage.post(
            "billing/admin/payments/confirm/",
            invoice_id=stage.invoice.pk,
            amount="1.00",
            manual_reference="BT-1",
            payment_method="bank_transfer",
        ),
    ],
)
def test_what_is_refused_anyway_closes_nothing(stage: Stage, operation: Any) -> None:
    payment = card_form(stage)
    before = fingerprint()

    answer = operation(stage)

    assert 400 <= answer.status_code < 500
    assert fingerprint() == before
    assert stage.stripe.one(payment.gateway_object_id)["status"] == "requires_payment_method"


def test_an_account_that_owes_something_keeps_its_open_attempts(stage: Stage) -> None:
    make.invoice(stage.account)
    payment = card_form(stage)
    before = fingerprint()

    assert refusal(delete_account(stage))["code"] == "money_open"
    assert fingerprint() == before
    assert now(payment).status == "pending"


def test_an_account_is_deleted_with_any_number_of_open_attempts(stage: Stage) -> None:
    line = {"description": "Credits", "quantity": 1, "amount": "29.00", "kind": "credit_package"}
    lines = [{**line, "package": make.credit_package()}]
    invoices = [make.invoice(stage.account, line_items=lines) for _ in range(7)]
    payments = [PaymentService.create_stripe_payment(invoice).payment for invoice in invoices]

    assert delete_account(stage).status_code == 200
    assert {now(payment).status for payment in payments} == {"canceled"}


@pytest.mark.parametrize("operation", some_of(OPERATIONS, each=4))
def test_a_saved_card_that_was_perhaps_not_charged_yet_is_not_charged_because_something_else_is_wanted(
    stage: Stage, operation: Any
) -> None:
    """The attempt is committed, and the process died before it asked, or waits for the answer."""
    card = make.saved_card(stage.stripe, now(stage.account)).gateway_method_id
    charge_request = {"card": card, "off_session": False, "save_card": False, "return_url": "", "customer": "cus_1"}
    begin_attempt(stage.invoice, "stripe", charge_request, None, "")
    before = fingerprint()

    answer = operation(stage)

    assert (answer.status_code, refusal(answer)["code"]) == (409, OPERATIONS[operation][1])
    assert (stage.stripe.all("payment_intent"), stage.taken()) == ([], 0)
    assert fingerprint() == before


# --- The end of a period --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize(("can_be_asked", "status", "due"), [(True, "canceled", "void"), (False, "pending", "pending")])
def test_a_period_ends_on_time_and_closes_what_is_open_where_it_can(
    stage: Stage, attempt: Any, can_be_asked: bool, status: str, due: str
) -> None:
    payment = attempt(stage)
    Subscription.objects.update(cancel_at_period_end=True, current_period_end=timezone.now())
    if not can_be_asked:
        stage.stripe.refuse_next_connections(times=9)
        stage.paypal.troubles.answer_next(503, "/orders/", times=9, method="GET")

    SubscriptionService.end_due_periods()

    assert (now(payment).status, now(stage.invoice).status) == (status, due)
    assert (Subscription.objects.get().status, stage.taken()) == ("canceled", 0)


# --- An order at PayPal that was given up ---------------------------------------------------------------------------


def test_the_payer_who_comes_back_later_is_told_and_pays_nothing(stage: Stage) -> None:
    payment = approved_order(stage)
    confirm(stage)

    answer = stage.post(f"billing/payments/{payment.pk}/complete/")

    assert (answer.status_code, refusal(answer)["code"]) == (402, "payment_declined")
    assert "closed unpaid" in refusal(answer)["message"]
    assert stage.taken() == 0


def test_money_that_was_taken_all_the_same_is_found_and_goes_back(stage: Stage) -> None:
    payment = approved_order(stage)
    confirm(stage)
    gateway_of("paypal").complete(payment.gateway_object_id, str(payment.uuid))

    Payment.objects.filter(pk=payment.pk, next_check_at__isnull=False).update(next_check_at=timezone.now())
    poll_due()
    Refund.objects.update(next_check_at=timezone.now())
    poll_due()

    assert (now(payment).status, now(payment).next_check_at) == ("canceled", None)
    assert Refund.objects.get(payment=payment).status == "succeeded"
    assert broken_invariants() == []
