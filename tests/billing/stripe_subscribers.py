"""Accounts that subscribed at Stripe, for tests of the mirror of what Stripe bills."""

from decimal import Decimal
from typing import Any

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.services.stripe_billing.invoices import record_invoice
from igny8_core.events.models import Event
from tests import make


def subscriber(stripe: FakeStripe) -> Account:
    """An account that is not paid yet, with its customer at Stripe; the plan "pro" has the price of the stand-in."""
    make.plan("pro", price=Decimal("49.00"), included_credits=3000, stripe_price_id="price_pro")
    account = make.owner({"status": "pending_payment"}).account
    assert account
    make.customer_at_stripe(stripe, account)
    return account


def subscribed(stripe: FakeStripe, account: Account, card: str = "pm_card_visa", **fields: Any) -> str:
    """The id of a subscription that somebody made at Stripe for the account's customer."""
    saved = stripe.save_card(account.stripe_customer_id, card)
    made = stripe.make_subscription(account.stripe_customer_id, saved, **{"amount": 4900, **fields})
    return str(made["id"])


def mirrored(stripe: FakeStripe, account: Account, **fields: Any) -> Subscription:
    """The same, followed here, its first invoice recorded."""
    name = subscribed(stripe, account, **fields)
    record_invoice(stripe.one(name)["latest_invoice"])
    return Subscription.objects.get(stripe_subscription_id=name)


def said(stripe: FakeStripe, object_id: str, **values: Any) -> None:
    """From now on Stripe says this of an object."""
    with stripe._changing():
        stripe._objects[object_id].update(values)


def states(account: Account) -> tuple[str, str]:
    """Of the account's subscription, and its own."""
    return Subscription.objects.get(account=account).status, Account.objects.get(pk=account.pk).status


def told(kind: str) -> int:
    return Event.objects.filter(type=kind).count()
