"""Subscriptions that Stripe bills, and what is mirrored of them."""

from igny8_core.business.billing.services.stripe_customers import stripe_customer_of
from igny8_core.business.billing.services.subscription_mirror import SubscriptionMirrorService
from story_6259b03.stage import Stage


def begin(stage: Stage) -> None:
    """Subscriptions that were made at Stripe: beside a trial, and in place of an order that waits for payment."""
    stage.at("03-02 09:00")
    for name in ("Mirrored Mills", "Voided Violins", "Returning Rugs", "Ended Eggs", "Overdue Oats"):
        stage.sign_up(name)
        _subscribe(stage, name.split()[0].lower())
    stage.sign_up("Handed Hoes", "pro", "stripe")
    _subscribe(stage, "handed", {"subscription_id": str(stage.subscription("handed").pk)})


def go_on(stage: Stage) -> None:
    """A month later: renewed, refunded, not paid, ended."""
    stage.at("04-07 09:00")
    _renew(stage, "mirrored")
    _renew(stage, "returning")
    stage.refunded("returning", "10.00", reason="Goodwill")
    stage.stripe.refund_in_dashboard(stage.payment("returning").stripe_payment_intent_id, 500)
    stage.stripe_tells("charge.refunded")
    for word in ("voided", "overdue"):
        stage.stripe.decline_next()
        _renew(stage, word, "invoice.payment_failed")
    stage.stripe.cancel_subscription(_name_of(stage, "ended"))
    stage.stripe_tells("customer.subscription.deleted")
    stage.at("04-09 09:00")
    stage.stripe.void_invoice(stage.invoice("voided").stripe_invoice_id)
    stage.stripe_tells("invoice.voided")
    # Stripe tries again, and is paid.
    stage.stripe.decline_next()
    _renew(stage, "returning", "invoice.payment_failed")
    stage.stripe.pay_invoice(stage.invoice("returning").stripe_invoice_id)
    stage.stripe_tells("invoice.paid")
    stage.stripe.cancel_subscription(_name_of(stage, "handed"), at_period_end=True)
    stage.stripe_tells("customer.subscription.updated")
    disputed = stage.stripe.open_dispute(stage.payment("handed").stripe_payment_intent_id)
    stage.stripe_tells("charge.dispute.created")
    assert disputed["amount"] == 4900


def _subscribe(stage: Stage, word: str, metadata: dict[str, str] | None = None) -> None:
    customer = stripe_customer_of(stage.account(word))
    made = stage.stripe.make_subscription(customer, stage.stripe.save_card(customer), amount=4900, metadata=metadata)
    SubscriptionMirrorService.record_invoice(stage.stripe.one(made["id"])["latest_invoice"])


def _renew(stage: Stage, word: str, told_as: str = "invoice.paid") -> None:
    stage.stripe.renew(_name_of(stage, word))
    stage.stripe_tells(told_as)


def _name_of(stage: Stage, word: str) -> str:
    return stage.subscription(word).stripe_subscription_id
