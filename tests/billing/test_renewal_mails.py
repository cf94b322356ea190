"""Each mail about renewals has text and HTML, and links where there is something to do."""

import re
from typing import Any

import pytest
from django.core import mail

from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.notifications import mails
from igny8_core.common.db import service_transaction
from igny8_core.events import services as events
from igny8_core.events.models import Event
from tests import make

pytestmark = pytest.mark.django_db


@service_transaction
def note(subject: Any, kind: str, facts: dict[str, Any]) -> None:
    events.record(events.about(kind, subject, None, facts))


@pytest.fixture
def subscription() -> Subscription:
    subscription = make.running_subscription()
    subscription.account.billing_email = subscription.account.confirmed_billing_email = "billing@example.com"
    subscription.account.save()
    return subscription


def told(kind: str) -> Any:
    """The one mail on the newest event of a type, in both forms."""
    mail.outbox.clear()
    mails.handle(Event.objects.filter(type=kind).latest("pk"))
    [sent] = mail.outbox
    assert sent.to == ["billing@example.com"]
    assert sent.message()["Auto-Submitted"] == "auto-generated"
    [(html, media_type)] = sent.alternatives
    assert media_type == "text/html"
    assert not re.search("{[{%]", sent.body + html)
    assert "\n\n\n" not in sent.body
    assert "\n" not in sent.subject
    return sent


@pytest.mark.parametrize(
    ("again", "says"), [("2027-01-02T10:00:00Z", "again on 2 January 2027"), (None, "not try this card")]
)
def test_a_declined_renewal(subscription: Subscription, again: str | None, says: str) -> None:
    declined = {"code": "insufficient_funds", "reason": "No money there.", "declines": 1, "next_charge_at": again}
    note(make.renewal(subscription), "renewal.charge_failed", declined)

    sent = told("renewal.charge_failed")

    for form in (sent.body, sent.alternatives[0][0]):
        text = " ".join(form.split())
        assert "No money there." in text
        assert "89.00 USD" in text
        assert "/pay/" in text
        assert says in text


def test_a_card_that_expires(subscription: Subscription) -> None:
    card = AccountPaymentMethod.objects.create(
        account=subscription.account, type="stripe", display_name="Visa", is_default=True, gateway_method_id="pm_1"
    )
    note(card, "payment_method.expiring", {"brand": "visa", "last4": "4242", "exp_year": 2028, "exp_month": 2})

    sent = told("payment_method.expiring")

    for form in (sent.body, sent.alternatives[0][0]):
        assert "Visa ending in 4242 is valid until 29 February 2028" in " ".join(form.split())
        assert "/home" in form


def test_another_price(subscription: Subscription) -> None:
    facts = {"plan": "starter", "plan_name": "Starter", "old_price": "890.00 USD", "new_price": "990.00 USD"}
    note(
        subscription, "subscription.price_change_announced", {**facts, "billing_cycle": "annual", "from": "2028-01-01"}
    )

    sent = told("subscription.price_change_announced")

    for form in (sent.body, sent.alternatives[0][0]):
        assert "costs 990.00 USD a year instead of 890.00 USD" in " ".join(form.split())


def test_another_price_is_written_as_its_reader_writes_amounts(subscription: Subscription) -> None:
    Account.objects.update(language="de")
    facts = {"plan_name": "Starter", "old_amount": "890.00", "new_amount": "1990.00", "currency": "USD"}
    note(
        subscription, "subscription.price_change_announced", {**facts, "billing_cycle": "annual", "from": "2028-01-01"}
    )

    sent = told("subscription.price_change_announced")

    assert "1.990,00 USD im Jahr statt 890,00 USD" in " ".join(sent.body.split())
