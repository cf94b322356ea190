"""What Stripe bills by itself is followed: it decides about status, period and plan, and we leave it alone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Plan, Subscription
from igny8_core.business.billing import errors
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, Invoice, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.stripe_billing import subscriptions
from igny8_core.business.billing.services.stripe_billing.invoices import record_invoice
from igny8_core.business.billing.services.stripe_billing.subscriptions import sync_subscription
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.subscriptions.plan_change import quote
from tests import make
from tests.billing.stripe_subscribers import mirrored, said, states, subscribed, subscriber, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(stripe: FakeStripe) -> Account:
    return subscriber(stripe)


def sync(name: str) -> Subscription | None:
    return SubscriptionService.sync_from_stripe(name)


# --- Which row it is ------------------------------------------------------------------------------------------------


def test_a_known_customer_gets_a_row_for_a_plan_with_that_price(stripe: FakeStripe, tenant: Account) -> None:
    pro = Plan.objects.get(slug="pro")
    name = subscribed(stripe, tenant)

    subscription = sync(name)
    again = sync(name)

    assert subscription is not None
    assert again == subscription
    seen = stripe.one(name)["items"]["data"][0]
    assert (subscription.plan, subscription.billing_driver, subscription.status) == (pro, "stripe", "active")
    assert subscription.current_period_start == subscription.billing_anchor
    assert subscription.current_period_end is not None
    assert int(subscription.current_period_end.timestamp()) == seen["current_period_end"]
    assert states(tenant) == ("active", "active")
    assert Account.objects.get(pk=tenant.pk).plan == pro
    assert not Payment.objects.exists()
    assert not CreditGrant.objects.exists()
    assert (told("subscription.created"), told("subscription.activated")) == (1, 1)
    assert broken_invariants() == []


def test_a_subscription_of_a_stranger_or_of_another_product_makes_no_row(stripe: FakeStripe, tenant: Account) -> None:
    stranger = stripe.create_customer({})["id"]
    strange = stripe.make_subscription(stranger, stripe.save_card(stranger), amount=4900)["id"]
    other = subscribed(stripe, tenant, price_id="price_of_another_product")

    assert [sync(name) for name in (strange, other, "sub_none", "")] == [None] * 4
    assert record_invoice(stripe.one(strange)["latest_invoice"]) is None
    with pytest.raises(errors.UnmatchedAtGateway, match=r"Stripe collected 49\.00 USD .* from one of our customers"):
        record_invoice(stripe.one(other)["latest_invoice"])
    assert record_invoice("in_none") is None
    assert not Subscription.objects.exists()
    assert not Invoice.objects.exists()


def test_a_row_that_our_metadata_names_is_handed_over_and_its_own_invoice_is_void(
    stripe: FakeStripe, tenant: Account
) -> None:
    ordered = make.subscription(tenant)

    subscription = sync(subscribed(stripe, tenant, metadata={"subscription_id": str(ordered.pk)}))

    assert subscription is not None
    assert (subscription.pk, subscription.billing_driver, subscription.status) == (ordered.pk, "stripe", "active")
    assert subscription.plan.slug == "pro"
    assert Invoice.objects.get().status == "void"
    assert told("subscription.handed_over") == 1
    assert broken_invariants() == []


def test_an_invoice_that_is_being_paid_stays_when_its_subscription_is_handed_over(
    stripe: FakeStripe, tenant: Account
) -> None:
    ordered = make.subscription(tenant)
    make.submitted_payment(ordered.invoices.get())

    subscription = sync(subscribed(stripe, tenant, metadata={"subscription_id": str(ordered.pk)}))

    assert subscription is not None
    assert subscription.billing_driver == "stripe"
    assert Invoice.objects.get().status == "pending"


def test_a_card_form_that_was_left_open_is_closed_when_its_subscription_is_handed_over(
    stripe: FakeStripe, tenant: Account
) -> None:
    ordered = make.subscription(tenant)
    make.customer_at_stripe(stripe, tenant)
    payment = PaymentService.create_stripe_payment(ordered.invoices.get()).payment

    subscription = sync(subscribed(stripe, tenant, metadata={"subscription_id": str(ordered.pk)}))

    assert subscription is not None
    assert subscription.billing_driver == "stripe"
    assert Invoice.objects.get().status == "void"
    assert stripe.one(payment.gateway_object_id)["status"] == "canceled"
    assert told("subscription.handed_over") == 1


def test_metadata_cannot_reach_another_accounts_row(stripe: FakeStripe, tenant: Account) -> None:
    foreign = make.subscription()

    sync(subscribed(stripe, tenant, metadata={"subscription_id": str(foreign.pk)}))
    for text in ("' OR 1=1", "9" * 40):
        with pytest.raises(errors.UnmatchedAtGateway):
            sync(subscribed(stripe, tenant, metadata={"subscription_id": text}))

    foreign.refresh_from_db()
    assert (foreign.billing_driver, foreign.status) == ("local", "pending_payment")
    assert Subscription.objects.filter(account=tenant).count() == 1


def test_an_account_with_a_live_subscription_of_ours_gets_no_second_one(stripe: FakeStripe, tenant: Account) -> None:
    ours = make.subscription(tenant)

    with pytest.raises(errors.UnmatchedAtGateway, match=r"\(Pro\), .* subscription \d+ here \(Starter"):
        sync(subscribed(stripe, tenant))

    assert Subscription.objects.get().pk == ours.pk
    assert Subscription.objects.get().billing_driver == "local"


def test_what_has_ended_already_makes_no_row(stripe: FakeStripe, tenant: Account) -> None:
    name = subscribed(stripe, tenant)
    stripe.cancel_subscription(name)

    assert sync(name) is None


def test_an_account_that_had_ended_comes_back_through_stripe(stripe: FakeStripe, tenant: Account) -> None:
    Account.objects.filter(pk=tenant.pk).update(status="canceled")

    sync(subscribed(stripe, tenant))

    assert states(tenant) == ("active", "active")


# --- What is followed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("incomplete", ("active", "active")),
        ("trialing", ("active", "active")),
        ("past_due", ("past_due", "past_due")),
        ("unpaid", ("past_due", "suspended")),
        ("canceled", ("canceled", "canceled")),
        ("incomplete_expired", ("canceled", "canceled")),
        ("paused", ("active", "active")),
        ("a_word_of_next_year", ("active", "active")),
    ],
)
def test_each_status_at_stripe_means_one_here(
    stripe: FakeStripe, tenant: Account, status: str, expected: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    subscription = mirrored(stripe, tenant)

    said(stripe, subscription.stripe_subscription_id, status=status)
    for _ in range(2):
        sync(subscription.stripe_subscription_id)

    assert states(tenant) == expected
    assert ("cannot be followed" in caplog.text) == (status in {"paused", "a_word_of_next_year"})
    assert broken_invariants() == []


@pytest.mark.parametrize("status", ["past_due", "unpaid"])
def test_what_was_behind_is_active_again_once_stripe_has_collected(
    stripe: FakeStripe, tenant: Account, status: str
) -> None:
    name = mirrored(stripe, tenant).stripe_subscription_id
    said(stripe, name, status=status)
    sync(name)

    said(stripe, name, status="active")
    sync(name)

    assert states(tenant) == ("active", "active")
    assert told("subscription.past_due") == 1


def test_a_subscription_that_was_never_seen_active_can_be_past_due(stripe: FakeStripe, tenant: Account) -> None:
    name = subscribed(stripe, tenant)
    said(stripe, name, status="past_due")

    sync(name)

    assert states(tenant) == ("past_due", "past_due")
    assert told("subscription.activated") == 1


def test_a_first_payment_that_fails_waits(stripe: FakeStripe, tenant: Account) -> None:
    name = subscribed(stripe, tenant, card="pm_card_chargeCustomerFail")

    sync(name)

    assert stripe.one(name)["status"] == "incomplete"
    assert states(tenant) == ("pending_payment", "pending_payment")


def test_what_an_operator_suspended_stays_suspended(stripe: FakeStripe, tenant: Account) -> None:
    name = mirrored(stripe, tenant).stripe_subscription_id
    Account.objects.filter(pk=tenant.pk).update(status="suspended", suspended_reason="operator")

    for status in ("past_due", "unpaid", "active", "canceled"):
        said(stripe, name, status=status)
        sync(name)
        assert Account.objects.get(pk=tenant.pk).suspended_reason == "operator"


def test_a_cancellation_at_stripe_is_shown_and_takes_effect_at_its_end(stripe: FakeStripe, tenant: Account) -> None:
    name = mirrored(stripe, tenant).stripe_subscription_id
    stripe.cancel_subscription(name, at_period_end=True)
    scheduled = sync(name)
    said(stripe, name, cancel_at=None)
    taken_back = sync(name)
    stripe.cancel_subscription(name)
    ended = sync(name)

    assert scheduled is not None
    assert taken_back is not None
    assert ended is not None
    assert (scheduled.cancel_at_period_end, scheduled.canceled_at) == (True, None)
    assert not taken_back.cancel_at_period_end
    assert ended.canceled_at is not None
    assert int(ended.canceled_at.timestamp()) == stripe.one(name)["ended_at"]
    assert (told("subscription.cancel_scheduled"), told("subscription.reactivated")) == (1, 1)
    assert told("subscription.canceled") == 1


def test_what_has_ended_here_is_not_revived(stripe: FakeStripe, tenant: Account) -> None:
    name = mirrored(stripe, tenant).stripe_subscription_id
    said(stripe, name, status="canceled")
    sync(name)
    said(stripe, name, status="active")

    sync(name)

    assert states(tenant) == ("canceled", "canceled")


def test_another_price_is_another_plan_and_an_unknown_one_changes_nothing(stripe: FakeStripe, tenant: Account) -> None:
    name = mirrored(stripe, tenant).stripe_subscription_id
    large = make.plan("large", price=Decimal("99.00"), stripe_price_id="price_large")
    items = stripe.one(name)["items"]

    for price in ("price_large", "price_unknown"):
        items["data"][0]["price"]["id"] = price
        said(stripe, name, items=items)
        sync(name)

    assert Subscription.objects.get().plan == large
    assert Account.objects.get(pk=tenant.pk).plan == large
    assert told("subscription.plan_changed") == 1


def test_an_older_answer_does_not_undo_a_newer_one(
    stripe: FakeStripe, tenant: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = mirrored(stripe, tenant).stripe_subscription_id
    said(stripe, name, status="past_due")
    an_hour_ago = timezone.now() - timedelta(hours=1)
    monkeypatch.setattr(subscriptions.clock, "now", lambda: an_hour_ago)

    subscription = sync(name)

    assert subscription is not None
    assert states(tenant) == ("active", "active")


def test_stripe_is_never_asked_in_a_transaction(stripe: FakeStripe, tenant: Account) -> None:
    asked = len(stripe.requests())

    for call in (sync, sync_subscription, record_invoice):
        with transaction.atomic(), pytest.raises(RuntimeError):
            call("sub_1")

    assert len(stripe.requests()) == asked


# --- What we leave alone --------------------------------------------------------------------------------------------


def test_nobody_changes_here_what_stripe_bills(stripe: FakeStripe, tenant: Account) -> None:
    subscription = mirrored(stripe, tenant)
    make.payment_method()
    small, large = make.plan("small", price=Decimal(9)), make.plan("large", price=Decimal(99))
    before = Subscription.objects.values().get()

    for call in (
        lambda: SubscriptionService.upgrade_subscription(subscription, large),
        lambda: SubscriptionService.downgrade_subscription(subscription, small),
        lambda: SubscriptionService.cancel_subscription(subscription),
        lambda: SubscriptionService.cancel_subscription(subscription, cancel_at_period_end=False),
        lambda: SubscriptionService.reactivate_subscription(subscription),
        lambda: quote(tenant, large),
    ):
        with pytest.raises(errors.SubscriptionBilledByStripe):
            call()
    with pytest.raises(errors.SubscriptionAlreadyLive):
        SubscriptionService.create_subscription(tenant, large, "bank_transfer")

    assert Subscription.objects.values().get() == before


def test_our_clock_does_not_end_what_stripe_bills(stripe: FakeStripe, tenant: Account) -> None:
    subscription = mirrored(stripe, tenant)
    now = timezone.now()
    Subscription.objects.update(
        cancel_at_period_end=True,
        current_period_start=now - timedelta(days=31),
        current_period_end=now - timedelta(days=1),
    )

    assert SubscriptionService.end_due_periods() == 0
    SubscriptionService.end_period(subscription)

    assert states(tenant) == ("active", "active")


def test_after_the_end_the_plan_is_ordered_anew_here(stripe: FakeStripe, tenant: Account) -> None:
    subscription = mirrored(stripe, tenant)
    make.payment_method()
    stripe.cancel_subscription(subscription.stripe_subscription_id)
    sync(subscription.stripe_subscription_id)

    anew = SubscriptionService.reactivate_subscription(subscription, "bank_transfer")

    assert (anew.pk != subscription.pk, anew.billing_driver) == (True, "local")
