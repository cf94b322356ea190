"""What customers are told when their subscription changes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail

from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing.services.notifications import mails
from igny8_core.business.billing.services.notifications.subscription_mails import SUBSCRIPTION_NOTICES
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.events.models import Delivery, Event
from tests import make

pytestmark = pytest.mark.django_db

END = datetime(2099, 4, 1, tzinfo=UTC)


@pytest.fixture
def subscription(olga: User) -> Subscription:
    """An active one, until END, of an account that is billed at billing@example.com."""
    ordered = make.subscription()
    PaymentService.approve_manual_payment(make.submitted_payment(ordered.invoices.get()), olga)
    Subscription.objects.update(current_period_end=END)
    ordered.account.billing_email = ordered.account.confirmed_billing_email = "billing@example.com"
    ordered.account.save()
    return Subscription.objects.get()


def told(event_type: str) -> Any:
    """The one mail on the newest event of a type, which must be on its way by itself."""
    event = Event.objects.filter(type=event_type).latest("pk")
    assert Delivery.objects.filter(event=event, consumer="email").exists()
    mail.outbox.clear()
    mails.handle(event)
    [sent] = mail.outbox
    assert sent.to == ["billing@example.com"]
    assert sent.subject.upper() in sent.body
    assert sent.subject in sent.alternatives[0][0]
    return sent


def test_a_scheduled_cancellation_says_until_when_and_how_to_take_it_back(subscription: Subscription) -> None:
    SubscriptionService.cancel_subscription(subscription)

    sent = told("subscription.cancel_scheduled")

    assert sent.subject == "Your subscription ends on 1 April 2099"
    assert "reactivate the subscription" in sent.body


def test_taking_it_back_is_told(subscription: Subscription) -> None:
    SubscriptionService.cancel_subscription(subscription)
    SubscriptionService.reactivate_subscription(subscription)

    assert told("subscription.reactivated").subject == "Your subscription continues"


def test_the_end_is_told(subscription: Subscription) -> None:
    SubscriptionService.cancel_subscription(subscription, cancel_at_period_end=False)

    assert "order a plan" in told("subscription.canceled").body


@pytest.mark.parametrize(
    ("sites", "event", "subject"),
    [
        (0, "subscription.plan_changed", "Your plan is now Mini"),
        (2, "subscription.downgrade_refused", "Your plan was not changed to Mini"),
    ],
)
def test_a_downgrade_is_told_before_and_when_it_is_done_or_refused(
    subscription: Subscription, sites: int, event: str, subject: str
) -> None:
    mini = make.plan("mini", price=19, max_sites=1)
    for _ in range(sites):
        make.site(subscription.account)

    SubscriptionService.downgrade_subscription(subscription, mini)
    before = told("subscription.downgrade_scheduled")
    Subscription.objects.update(current_period_end=datetime.now(UTC))
    SubscriptionService.end_due_periods()

    assert before.subject == "Your plan changes to Mini on 1 April 2099"
    assert "includes 1 site and " in before.body
    after = told(event)
    assert after.subject == subject
    assert ("2 sites where 1 is allowed" in after.body) == (sites == 2)


def test_a_downgrade_that_is_refused_says_why_in_the_language_of_the_account(subscription: Subscription) -> None:
    for _ in range(2):
        make.site(subscription.account)
    SubscriptionService.downgrade_subscription(subscription, make.plan("mini", price=19, max_sites=1))
    Account.objects.update(language="de")
    Subscription.objects.update(current_period_end=datetime.now(UTC))

    SubscriptionService.end_due_periods()

    assert "2 Websites, erlaubt ist 1" in told("subscription.downgrade_refused").body


def test_each_notice_has_a_test_here_or_among_those_of_renewals() -> None:
    of_prices = {"subscription.price_change_announced", "subscription.price_change_withdrawn"}
    assert set(SUBSCRIPTION_NOTICES) - of_prices == {
        "subscription.cancel_scheduled",
        "subscription.canceled",
        "subscription.downgrade_scheduled",
        "subscription.downgrade_refused",
        "subscription.plan_changed",
        "subscription.reactivated",
    }
