"""What each kind of message leads to, and what is none of ours (WHK-16)."""

from decimal import Decimal
from typing import Literal
from uuid import uuid4

import pytest

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Subscription
from igny8_core.business.billing.models import AccountPaymentMethod, Invoice, WebhookEvent
from igny8_core.business.billing.services.payment_methods.cards import begin_card
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.webhook_inbox.inbox import (
    process_due_messages,
    process_message,
    replay_message,
)
from igny8_core.business.billing.tasks import process_webhooks
from igny8_core.events.models import Event
from tests import make
from tests.billing.stripe_subscribers import subscribed, subscriber
from tests.rows import now
from tests.webhooks.cast import (
    SECRET,
    about,
    books,
    events_of,
    paid_by_card,
    paid_by_paypal,
    states,
    stored,
    tell_paypal,
    tell_stripe,
)

pytestmark = pytest.mark.django_db


# --- What is done ---------------------------------------------------------------------------------------------------


def test_a_card_payment_is_settled_by_its_message_alone(stripe: FakeStripe) -> None:
    payment = paid_by_card(stripe)
    tell_stripe(stripe, stripe.events("payment_intent.succeeded")[0])

    process_webhooks()

    event = WebhookEvent.objects.get()
    assert (event.state, event.attempts, event.next_attempt_at, event.last_error) == ("processed", 1, None, "")
    assert event.processed_at is not None
    assert (books(payment)["payment"], books(payment)["invoice"], books(payment)["credits"]) == (
        "succeeded",
        "paid",
        1000,
    )


def test_an_approved_order_is_captured_by_its_message_alone(paypal: FakePayPal) -> None:
    make.payment_method(payment_method="paypal", display_name="PayPal")
    payment = PaymentService.create_paypal_payment(make.subscription().invoices.get()).payment
    paypal.approve(payment.gateway_object_id)
    tell_paypal(paypal, paypal.events("CHECKOUT.ORDER.APPROVED")[0])

    process_webhooks()

    assert states("paypal") == ["processed"]
    assert (books(payment)["payment"], books(payment)["credits"]) == ("succeeded", 1000)
    assert len(paypal.captures_with(str(payment.uuid))) == 1


@pytest.mark.parametrize("name", ["PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED"])
def test_a_refused_capture_is_heard_under_both_of_its_names(paypal: FakePayPal, name: str) -> None:
    make.payment_method(payment_method="paypal", display_name="PayPal")
    payment = PaymentService.create_paypal_payment(make.subscription().invoices.get()).payment
    paypal.hold_capture(payment.gateway_object_id)
    paypal.denied_event = name
    paypal.approve(payment.gateway_object_id)
    heard = []
    for kind in ("CHECKOUT.ORDER.APPROVED", name):
        if kind == name:
            paypal.deny(payment.gateway_object_id)
        process_message(stored("paypal", paypal.signed(paypal.events(kind)[0])))
        heard.append(books(payment)["payment"])

    assert heard == ["processing", "failed"]
    assert states("paypal") == ["processed", "processed"]


def test_a_capture_that_does_not_name_its_order_is_found_by_itself(paypal: FakePayPal) -> None:
    payment = paid_by_paypal(paypal)
    told = paypal.events("PAYMENT.CAPTURE.COMPLETED")[0]
    bare = {name: told["resource"][name] for name in ("id", "status", "amount")}

    process_message(stored("paypal", paypal.signed({**told, "resource": bare})))

    assert (states("paypal"), books(payment)["payment"]) == (["processed"], "succeeded")


def test_a_refund_that_fails_later_waits_for_an_operator(stripe: FakeStripe) -> None:
    payment = paid_by_card(stripe)
    refund = stripe.refund_in_dashboard(payment.gateway_object_id, 3000)
    for event in stripe.events("charge.refunded"):
        process_message(stored("stripe", stripe.signed(event, SECRET)))
    assert books(payment)["refunded"] == "30.00"

    stripe.fail_refund(refund["id"])
    process_message(stored("stripe", stripe.signed(stripe.events("refund.failed")[0], SECRET)))

    assert books(payment)["review"].startswith(f"Refund {refund['id']} did not arrive")


def test_a_card_that_was_saved_and_detached_at_stripe_is_saved_and_disabled_here(stripe: FakeStripe) -> None:
    tenant = make.owner().account
    assert tenant
    make.customer_at_stripe(stripe, tenant)
    setup = begin_card(tenant, tenant.owner)
    saved = stripe.complete_setup(setup.setup_id, "pm_card_visa")["payment_method"]
    for event in stripe.events("setup_intent.succeeded"):
        process_message(stored("stripe", stripe.signed(event, SECRET)))
    kept = AccountPaymentMethod.objects.get(account=tenant)
    assert (kept.gateway_method_id, kept.is_enabled) == (saved, True)

    stripe.detach_payment_method(saved, {})
    for event in stripe.events("payment_method.detached"):
        process_message(stored("stripe", stripe.signed(event, SECRET)))

    assert not AccountPaymentMethod.objects.get(account=tenant).is_enabled
    assert set(states()) == {"processed"}


@pytest.mark.parametrize("shape", ["endive", "2022-11-15"])
def test_a_subscription_that_stripe_bills_is_followed_by_its_messages_alone(
    stripe: FakeStripe, shape: Literal["endive", "2022-11-15"]
) -> None:
    tenant = subscriber(stripe)
    name = subscribed(stripe, tenant)
    created = stripe.events("customer.subscription.created")[0]
    process_message(stored("stripe", stripe.signed(created, SECRET, shape=shape)))
    stripe.renew(name)
    stripe.cancel_subscription(name)
    kinds = ("customer.subscription", "invoice.paid")
    told = [event for event in stripe.events() if event["type"].startswith(kinds)]

    for event in reversed(told):
        process_message(stored("stripe", stripe.signed(event, SECRET, shape=shape)))

    subscription = Subscription.objects.get(stripe_subscription_id=name)
    assert (subscription.status, subscription.billing_driver) == ("canceled", "stripe")
    assert sorted(Invoice.objects.filter(account=tenant).values_list("status", flat=True)) == ["paid", "paid"]
    assert {event["type"] for event in told} >= {"customer.subscription.created", "customer.subscription.deleted"}
    assert set(states()) == {"processed"}


def test_an_invoice_that_stripe_could_not_collect_and_gives_up_is_void_here_too(stripe: FakeStripe) -> None:
    tenant = subscriber(stripe)
    name = subscribed(stripe, tenant, "pm_card_chargeCustomerFail")
    [failed] = stripe.events("invoice.payment_failed")
    process_message(stored("stripe", stripe.signed(failed, SECRET)))
    assert Invoice.objects.get(account=tenant).status == "pending"

    stripe.void_invoice(str(stripe.one(name)["latest_invoice"]))
    [voided] = stripe.events("invoice.voided")
    process_message(stored("stripe", stripe.signed(voided, SECRET)))

    assert Invoice.objects.get(account=tenant).status == "void"
    assert states() == ["processed", "processed"]


# --- Disputes -------------------------------------------------------------------------------------------------------


def test_a_dispute_that_is_won_costs_nothing_and_is_told_once(stripe: FakeStripe) -> None:
    payment = paid_by_card(stripe)
    dispute = stripe.open_dispute(payment.gateway_object_id, 5000)
    process_message(stored("stripe", stripe.signed(stripe.events("charge.dispute.created")[0], SECRET)))
    opened = books(payment)

    stripe.close_dispute(dispute["id"], won=True)
    for _ in range(2):
        process_message(stored("stripe", stripe.signed(stripe.events("charge.dispute.closed")[0], SECRET)))
        replay_message(WebhookEvent.objects.latest("pk"))

    assert (opened["payment"], opened["disputes"]) == ("disputed", [(dispute["id"], "open", Decimal("50.00"))])
    assert (books(payment)["payment"], books(payment)["disputes"]) == (
        "disputed",
        [(dispute["id"], "won", Decimal("50.00"))],
    )
    assert (books(payment)["refunded"], books(payment)["credits"]) == ("0.00", 1000)
    assert events_of(payment) == ["payment.dispute_won", "payment.disputed", "payment.started", "payment.succeeded"]


def test_a_dispute_that_is_lost_takes_no_more_than_is_left(stripe: FakeStripe) -> None:
    payment = paid_by_card(stripe)
    stripe.refund_in_dashboard(payment.gateway_object_id, 8000)
    dispute = stripe.open_dispute(payment.gateway_object_id, 8900)
    stripe.close_dispute(dispute["id"], won=False)

    for event in reversed(stripe.events("charge.dispute.closed") + stripe.events("charge.refunded")):
        process_message(stored("stripe", stripe.signed(event, SECRET)))

    assert (books(payment)["refunded"], books(payment)["review"]) == ("89.00", "")
    assert [str(note[0]) for note in books(payment)["notes"]] == ["9.00", "80.00"]
    assert [note[1] for note in books(payment)["notes"]] == [
        "Dispute lost: fraudulent",
        "Refunded at the payment service",
    ]


def test_a_lost_dispute_at_paypal_waits_until_paypal_shows_that_the_money_went_back(paypal: FakePayPal) -> None:
    payment = paid_by_paypal(paypal)
    (capture,) = paypal.captures_with(str(payment.uuid))
    dispute_id = paypal.open_dispute(capture.id)
    dispute = paypal.disputes[dispute_id]
    dispute.status, dispute.outcome = "RESOLVED", "RESOLVED_BUYER_FAVOUR"
    event = stored("paypal", paypal.signed(paypal.events("CUSTOMER.DISPUTE.CREATED")[0]))

    process_message(event)
    before = books(payment)
    paypal.reverse(capture.id)
    process_message(now(event))

    assert (before["payment"], before["disputes"][0][1], before["refunded"]) == ("disputed", "lost", "0.00")
    assert (books(payment)["payment"], books(payment)["refunded"]) == ("refunded", "89.00")
    assert len(books(payment)["notes"]) == 1
    assert now(event).state == "processed"


# --- What is not ours -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("object_id", "type_"),
    [
        ("cus_1", "customer.created"),
        ("pi_1", "v99.brand.new"),
        ("pi_unknown", "payment_intent.succeeded"),
        ("ch_unknown", "charge.refunded"),
        ("re_unknown", "refund.updated"),
        ("du_unknown", "charge.dispute.closed"),
        ("seti_unknown", "setup_intent.succeeded"),
        ("pm_unknown", "payment_method.detached"),
        ("sub_unknown", "customer.subscription.updated"),
        ("in_unknown", "invoice.paid"),
        ("../../v1/customers", "payment_intent.succeeded"),
    ],
)
def test_what_is_unknown_is_kept_and_ignored(stripe: FakeStripe, object_id: str, type_: str) -> None:
    event = about(stripe, object_id, type_)

    process_due_messages()

    assert (now(event).state, now(event).last_error, now(event).next_attempt_at) == ("ignored", "", None)


def test_another_product_s_payment_at_the_same_stripe_is_ignored(stripe: FakeStripe) -> None:
    intent = stripe.create_payment_intent({"amount": 500, "currency": "usd", "metadata": {"order": "7"}})
    stripe.pay_in_browser(intent["client_secret"])
    stripe.refund_in_dashboard(intent["id"])
    dispute = stripe.open_dispute(intent["id"], 100)
    stripe.close_dispute(dispute["id"], won=False)
    for event in stripe.events():
        stored("stripe", stripe.signed(event, SECRET))

    process_due_messages()

    assert set(states()) == {"ignored"}
    assert not Event.objects.filter(object_type="billing.payment").exists()


@pytest.mark.parametrize(
    "kind", ["PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED", "CUSTOMER.DISPUTE.RESOLVED", "X.Y"]
)
def test_unknown_objects_of_paypal_are_ignored(paypal: FakePayPal, kind: str) -> None:
    event = {
        "id": f"WH-{uuid4()}",
        "event_type": kind,
        "resource_type": "capture",
        "resource": {"id": "0" * 17, "dispute_id": "PP-D-1"},
    }
    stored("paypal", paypal.signed(event))

    process_due_messages()

    assert states("paypal") == ["ignored"]
