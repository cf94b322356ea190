"""StripeGateway: subscriptions and invoices that Stripe bills itself."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.gateways.stripe_cast import Shop


def test_a_subscription_is_mirrored_with_its_first_invoice() -> None:
    shop = Shop()
    card_id = shop.fake.save_card(shop.customer_id)
    made = shop.fake.make_subscription(
        shop.customer_id, card_id, amount=1900, currency="eur", metadata={"account_id": "7"}
    )

    subscription = shop.gateway.subscription(made["id"])
    invoice = shop.gateway.invoice(made["latest_invoice"])

    assert (subscription.status, subscription.price_id, subscription.live) == ("active", "price_pro", False)
    assert subscription.metadata == {"account_id": "7"}
    assert subscription.period_start is not None
    assert subscription.period_end == subscription.period_start + timedelta(days=30)
    assert (invoice.status, invoice.amount_paid, invoice.currency) == ("paid", Decimal("19.00"), "EUR")
    assert (invoice.period_start, invoice.period_end) == (subscription.period_start, subscription.period_end)
    assert shop.gateway.fetch(invoice.payment_intent_id).amount == Decimal("19.00")


def test_a_renewal_that_is_declined_leaves_the_subscription_past_due_until_it_is_paid() -> None:
    shop = Shop()
    card_id = shop.fake.save_card(shop.customer_id)
    made = shop.fake.make_subscription(shop.customer_id, card_id, amount=1900)

    shop.fake.set_card_declines(card_id, "insufficient_funds")
    renewed = shop.fake.renew(made["id"])
    failed = shop.gateway.invoice(renewed["latest_invoice"])
    late = shop.gateway.subscription(made["id"])
    shop.fake.set_card_declines(card_id, "")
    shop.fake.pay_invoice(failed.invoice_id)
    paid = shop.gateway.invoice(failed.invoice_id)

    assert (failed.status, failed.amount_paid, failed.amount_due) == ("open", Decimal(0), Decimal("19.00"))
    assert (late.status, shop.gateway.subscription(made["id"]).status) == ("past_due", "active")
    assert (paid.status, paid.amount_paid) == ("paid", Decimal("19.00"))
    assert len(shop.fake.events("invoice.payment_failed")) == 1
    assert len(shop.fake.events("invoice.paid")) == 2
    assert shop.fake.charges_count() == 2


@pytest.mark.parametrize("at_period_end", [True, False])
def test_a_subscription_ends_now_or_when_its_period_does(at_period_end: bool) -> None:
    shop = Shop()
    made = shop.fake.make_subscription(shop.customer_id, shop.fake.save_card(shop.customer_id), amount=1900)

    shop.fake.cancel_subscription(made["id"], at_period_end=at_period_end)

    subscription = shop.gateway.subscription(made["id"])
    assert subscription.canceled_at is not None
    assert subscription.is_cancel_scheduled is at_period_end
    assert (subscription.ended_at is None) is at_period_end
    assert subscription.status == ("active" if at_period_end else "canceled")


def test_a_first_invoice_that_is_declined_leaves_the_subscription_incomplete() -> None:
    shop = Shop()
    card_id = shop.fake.save_card(shop.customer_id, "pm_card_chargeCustomerFail")

    made = shop.fake.make_subscription(shop.customer_id, card_id, amount=1900)

    assert shop.gateway.subscription(made["id"]).status == "incomplete"
    assert shop.fake.charges_count() == 0
