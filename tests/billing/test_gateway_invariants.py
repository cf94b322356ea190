"""The same for what comes through gateways: nothing is broken in a healthy world, and every break is found."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import PaymentDeclined
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Dispute, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.refunds.disputes import sync_dispute
from igny8_core.business.billing.services.stripe_billing.subscriptions import sync_subscription
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from tests import make
from tests.billing.breaking import forget_event, run, unguarded
from tests.billing.stripe_subscribers import mirrored, said, subscriber
from tests.snapshots import restored

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """Payments that Stripe took, declined and has not decided, disputes, subscriptions that ended or are behind."""

    paid: Payment
    disputed: Payment
    left_open: Payment
    stranger: Account


@pytest.fixture
def world(db: None, stripe: FakeStripe) -> World:
    return restored("a world of payments through Stripe", lambda: build(stripe))


def build(stripe: FakeStripe) -> World:
    olga, stranger = make.operator(), make.owner().account
    assert stranger
    paid = paid_by_card(stripe, olga)
    SubscriptionService.cancel_subscription(make.subscription())
    subscribed = mirrored(stripe, subscriber(stripe))
    said(stripe, subscribed.stripe_subscription_id, status="past_due")
    sync_subscription(subscribed.stripe_subscription_id)
    return World(paid, disputed(stripe, olga), left_open(stripe), stranger)


def paid_by_card(stripe: FakeStripe, olga: User) -> Payment:
    """A part of it went back through the gateway; before it, an attempt was declined."""
    invoice = make.invoice()
    customer = make.customer_at_stripe(stripe, invoice.account)
    with pytest.raises(PaymentDeclined):
        PaymentService.create_stripe_payment(invoice, stripe.save_card(customer, "pm_card_chargeCustomerFail"))
    paid = PaymentService.create_stripe_payment(invoice, stripe.save_card(customer)).payment
    PaymentService.process_refund(paid, Decimal("9.00"), reason="Goodwill", refunded_by=olga)
    return paid


def disputed(stripe: FakeStripe, olga: User) -> Payment:
    """Complaints about parts of it are open, lost, won, and ended without a decision."""
    payment = paid_by_card(stripe, olga)
    for status in ("needs_response", "lost", "won", "warning_closed"):
        dispute = stripe.open_dispute(payment.gateway_object_id, 1000)["id"]
        said(stripe, dispute, status=status)
        sync_dispute("stripe", dispute)
    return payment


def left_open(stripe: FakeStripe) -> Payment:
    """The customer has still to enter a card; of another one Stripe said nothing."""
    first, second = make.invoice(), make.invoice()
    for invoice in (first, second):
        make.customer_at_stripe(stripe, invoice.account)
    waiting = PaymentService.create_stripe_payment(first, "").payment
    stripe.lose_next_answers(3, method="POST", path="/v1/payment_intents")
    PaymentService.create_stripe_payment(second, stripe.save_card(second.account.stripe_customer_id))
    return waiting


def test_nothing_is_broken_in_a_healthy_world(world: World) -> None:
    assert broken_invariants() == []
    assert set(Dispute.objects.values_list("status", flat=True)) == {"open", "lost", "won", "closed"}
    assert set(Payment.objects.values_list("status", flat=True)) == {
        "disputed",
        "failed",
        "partially_refunded",
        "pending",
        "succeeded",
        "unknown",
    }


Break = Callable[[World], object]


def leave_payment_undecided(world: World) -> None:
    run("UPDATE igny8_payments SET next_check_at = now() - interval '2 hours' WHERE id = %s", world.left_open.pk)


def leave_refund_undecided(world: World) -> None:
    run(
        "UPDATE igny8_refunds SET status = 'processing', next_check_at = now() - interval '2 hours' "
        "WHERE payment_id = %s",
        world.paid.pk,
    )


def cross_refund(world: World) -> None:
    unguarded("igny8_refunds", "igny8_disputes")
    run("UPDATE igny8_refunds SET account_id = %s", world.stranger.pk)


def cross_dispute(world: World) -> None:
    unguarded("igny8_disputes")
    run("UPDATE igny8_disputes SET account_id = %s", world.stranger.pk)


def lose_disputes(world: World) -> None:
    unguarded("igny8_disputes")
    run("DELETE FROM igny8_disputes")


def dispute_elsewhere(world: World) -> None:
    run("UPDATE igny8_disputes SET gateway = 'paypal'")


def take_another_refund(world: World) -> None:
    unguarded("igny8_disputes")
    other = world.paid.refunds.get()
    run("UPDATE igny8_disputes SET refund_id = %s WHERE status = 'lost'", other.pk)


def review_without_event(world: World) -> None:
    run("UPDATE igny8_payments SET needs_review = TRUE WHERE id = %s", world.paid.pk)


def return_without_event(world: World) -> None:
    run("UPDATE igny8_refunds SET is_return = TRUE")


EVENTS = [
    "payment.started",
    "payment.succeeded",
    "payment.failed",
    "payment.unknown",
    "payment.disputed",
    "payment.dispute_won",
    "payment.dispute_closed",
    "refund.succeeded",
    "subscription.past_due",
    "subscription.canceled",
]
BREAKS: list[tuple[int, Break]] = [
    (13, cross_refund),
    (13, cross_dispute),
    (14, leave_payment_undecided),
    (14, leave_refund_undecided),
    (16, review_without_event),
    (16, return_without_event),
    (17, lose_disputes),
    (17, dispute_elsewhere),
    (17, take_another_refund),
    *((16, forget_event(event_type)) for event_type in EVENTS),
]


@pytest.mark.parametrize(("number", "break_it"), BREAKS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_what_breaks_an_invariant_is_found_and_named(number: int, break_it: Break, world: World) -> None:
    break_it(world)

    broken = {result.number: result for result in broken_invariants()}
    assert number in broken, broken
    assert broken[number].examples
