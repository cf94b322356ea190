"""What somebody makes in Stripe's dashboard for a customer of ours is linked, or waits for an operator and says why."""

from decimal import Decimal
from typing import Any

import pytest
from igny8_core.business.billing.services.subscription_service import SubscriptionService

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, Invoice, Payment, WebhookEvent
from igny8_core.business.billing.services.webhook_inbox.inbox import (
    delete_old_messages,
    process_due_messages,
    replay_message_now,
    set_message_aside,
)
from igny8_core.business.billing.tasks import process_webhooks
from igny8_core.common.errors import InvalidInput, TransitionNotAllowed
from igny8_core.events.models import Event
from tests import make
from tests.webhooks.cast import states, tell_stripe

pytestmark = pytest.mark.django_db

TYPES = ("customer.subscription.created", "invoice.paid")


@pytest.fixture
def tenant(stripe: FakeStripe) -> Account:
    """Signed up for Growth, not paid."""
    growth = make.plan("growth", price=Decimal("139.00"), included_credits=2000, stripe_price_id="price_growth")
    account = make.subscription(plan_ordered=growth).account
    make.customer_at_stripe(stripe, account)
    return account


def made_in_dashboard(stripe: FakeStripe, tenant: Account, price_id: str = "price_growth") -> str:
    card = stripe.save_card(tenant.stripe_customer_id)
    made = stripe.make_subscription(tenant.stripe_customer_id, card, amount=13900, price_id=price_id)
    return str(made["id"])


def tell_all(stripe: FakeStripe) -> None:
    for kind in TYPES:
        for event in stripe.events(kind):
            assert tell_stripe(stripe, event).status_code == 200
    process_webhooks()


def broken() -> dict[int, list[str]]:
    return {result.number: result.examples for result in broken_invariants()}


def test_the_same_plan_is_linked_and_what_was_ordered_here_is_void(stripe: FakeStripe, tenant: Account) -> None:
    name = made_in_dashboard(stripe, tenant)

    tell_all(stripe)

    subscription = Subscription.objects.get()
    assert states() == ["processed", "processed"]
    assert (subscription.stripe_subscription_id, subscription.billing_driver) == (name, "stripe")
    assert (subscription.status, Account.objects.get(pk=tenant.pk).status) == ("active", "active")
    assert sorted(Invoice.objects.values_list("status", "total")) == [
        ("paid", Decimal("139.00")),
        ("void", Decimal("139.00")),
    ]
    assert (Payment.objects.get().status, CreditGrant.objects.get().amount) == ("succeeded", 2000)
    assert broken() == {}


def test_another_plan_waits_for_an_operator_with_the_reason(stripe: FakeStripe, tenant: Account, olga: User) -> None:
    make.plan("pro", price=Decimal("139.00"), included_credits=3000, stripe_price_id="price_pro")
    made_in_dashboard(stripe, tenant, "price_pro")

    tell_all(stripe)

    assert states() == ["needs_review", "needs_review"]
    waiting = WebhookEvent.objects.order_by("pk")
    for event in waiting:
        assert "(Pro)" in event.last_error
        assert "(Growth, pending payment)" in event.last_error
        assert (event.next_attempt_at, event.processed_at) == (None, None)
    told = Event.objects.filter(type="webhook.needs_review")
    assert [event.data["type"] for event in told.order_by("pk")] == list(TYPES)
    assert len(broken()[19]) == 2
    assert not Payment.objects.exists()

    # The operator ends the order that nobody paid, and has the messages processed again.
    SubscriptionService.cancel_subscription(Subscription.objects.get(), canceled_by=olga)
    for event in waiting:
        replay_message_now(event, olga)

    assert states() == ["processed", "processed"]
    assert (Payment.objects.get().amount, CreditGrant.objects.get().amount) == (Decimal("139.00"), 3000)
    assert Account.objects.get(pk=tenant.pk).plan.slug == "pro"
    assert broken() == {}


def test_an_order_that_somebody_is_paying_for_here_is_not_taken_over(stripe: FakeStripe, tenant: Account) -> None:
    make.submitted_payment(Invoice.objects.get())
    made_in_dashboard(stripe, tenant)

    tell_all(stripe)

    assert states() == ["needs_review", "needs_review"]
    assert Subscription.objects.get().billing_driver == "local"
    assert Invoice.objects.get().status == "pending"


def test_money_for_a_price_that_no_plan_has_waits_until_it_is_entered(stripe: FakeStripe, olga: User) -> None:
    tenant = make.owner({"status": "pending_payment"}).account
    assert tenant
    make.customer_at_stripe(stripe, tenant)
    made_in_dashboard(stripe, tenant, "price_new")

    tell_all(stripe)

    # The subscription alone is no money, and can be another product's.
    assert states() == ["ignored", "needs_review"]
    make.plan("new", price=Decimal("139.00"), included_credits=500, stripe_price_id="price_new")
    replay_message_now(WebhookEvent.objects.get(state="needs_review"), olga)
    assert (Payment.objects.get().status, CreditGrant.objects.get().amount) == ("succeeded", 500)
    assert broken() == {}


def test_a_stranger_s_money_is_nothing_to_do(stripe: FakeStripe) -> None:
    stranger = stripe.create_customer({})["id"]
    stripe.make_subscription(stranger, stripe.save_card(stranger), amount=13900)

    tell_all(stripe)

    assert set(states()) == {"ignored"}
    assert broken() == {}


@pytest.fixture
def waiting(stripe: FakeStripe, tenant: Account) -> Any:
    """A message that waits for an operator."""
    made_in_dashboard(stripe, tenant, "price_of_nothing")
    tell_stripe(stripe, stripe.events("invoice.paid")[0])
    process_webhooks()
    return WebhookEvent.objects.get(state="needs_review")


def test_what_was_settled_elsewhere_is_set_aside_with_a_reason(waiting: WebhookEvent, olga: User) -> None:
    with pytest.raises(InvalidInput):
        set_message_aside(waiting, " ", olga)

    set_message_aside(waiting, "Refunded in the dashboard", olga)

    waiting.refresh_from_db()
    assert (waiting.state, waiting.processed_at is not None) == ("ignored", True)
    told = Event.objects.get(type="webhook.set_aside")
    assert (told.actor, told.data["reason"]) == (olga, "Refunded in the dashboard")
    assert broken() == {}
    with pytest.raises(TransitionNotAllowed):
        set_message_aside(waiting, "Again", olga)


def test_a_message_that_waits_for_an_operator_is_neither_tried_nor_deleted(waiting: WebhookEvent) -> None:
    WebhookEvent.objects.update(received_at="2020-01-01T00:00:00Z")

    assert process_due_messages() == 0
    delete_old_messages()

    waiting.refresh_from_db()
    assert waiting.state == "needs_review"
