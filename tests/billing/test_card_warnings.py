"""Whose card runs out is told once, in time to save another one."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail

from igny8_core.auth.models import Subscription
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.renewals.card_warnings import warn_of_expiring_cards
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Event
from tests import make
from tests.billing.renewing import at

pytestmark = pytest.mark.django_db
# With 30 days of notice the warning for a card that is valid to the end of June is due on the 1st of June.
DAY_BEFORE, DUE = datetime(2026, 5, 31, 12, tzinfo=UTC), datetime(2026, 6, 1, 0, 0, tzinfo=UTC)


def card(**fields: Any) -> AccountPaymentMethod:
    """The default card of a running subscription, valid to the end of June 2026."""
    subscription: Subscription = fields.pop("subscription", None) or make.running_subscription()
    valid = {"card_brand": "visa", "card_last4": "4242", "card_exp_year": 2026, "card_exp_month": 6}
    values = {
        "type": "stripe",
        "display_name": "Visa",
        "is_default": True,
        "gateway_method_id": "pm_1",
        **valid,
        **fields,
    }
    return AccountPaymentMethod.objects.create(account=subscription.account, **values)


def test_a_card_that_runs_out_is_told_once_a_month_before() -> None:
    tenant = make.owner(email="owner@example.com").account
    subscription = make.running_subscription()
    Subscription.objects.filter(pk=subscription.pk).update(account=tenant)
    subscription.account = tenant  # type: ignore[assignment]
    card(subscription=subscription)

    assert at(DAY_BEFORE, warn_of_expiring_cards) == 0
    assert at(DUE, warn_of_expiring_cards) == 1
    assert at(DUE, warn_of_expiring_cards) == 0
    at(DUE, deliver_due)

    [sent] = [message for message in mail.outbox if message.subject == "Your card expires soon"]
    assert sent.to == ["owner@example.com"]
    text = " ".join(sent.body.split())
    assert "Visa ending in 4242 is valid until 30 June 2026" in text
    assert "Visa ending in 4242" in sent.alternatives[0][0]
    assert sent.subject.upper() in sent.body


@pytest.mark.parametrize(
    "other",
    [
        {"is_default": False},
        {"is_enabled": False},
        {"type": "bank_transfer", "gateway_method_id": ""},
        {"card_exp_month": 7},
        {"card_exp_year": None, "card_exp_month": None},
    ],
)
def test_a_card_that_pays_no_renewal_or_lasts_is_not_told(other: dict[str, Any]) -> None:
    card(**other)

    assert at(DUE, warn_of_expiring_cards) == 0


@pytest.mark.parametrize("change", [{"status": "canceled"}, {"cancel_at_period_end": True}])
def test_without_a_subscription_that_renews_nobody_is_told(change: dict[str, Any]) -> None:
    card()
    Subscription.objects.update(**change)

    assert at(DUE, warn_of_expiring_cards) == 0


def test_all_are_found_in_small_batches() -> None:
    for number in range(5):
        card(gateway_method_id=f"pm_{number}")

    assert at(DUE, warn_of_expiring_cards, 2) == 5
    assert Event.objects.filter(type="payment_method.expiring").count() == 5


def test_a_card_that_was_replaced_meanwhile_sends_no_mail() -> None:
    card()
    at(DUE, warn_of_expiring_cards)
    AccountPaymentMethod.objects.update(is_default=False)

    at(DUE, deliver_due)

    assert not [message for message in mail.outbox if message.subject == "Your card expires soon"]
