"""The daily comparison's part about subscriptions that Stripe bills, and about the money it collected for them."""

from igny8_core.auth.models import LIVE_STATUSES, BillingDriver, PaymentMethodType, Subscription
from igny8_core.business.billing.gateways import configured_stripe
from igny8_core.business.billing.gateways.protocol import Charge
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.reconciliation.differences import Difference, noted
from igny8_core.business.billing.services.stripe_billing.invoices import record_invoice
from igny8_core.business.billing.services.stripe_billing.subscriptions import sync_subscription

STRIPE = PaymentMethodType.STRIPE


def booked_for_a_subscription(charge: Charge) -> Payment | None:
    """Book money that Stripe collected for a subscription that it bills; None if the money is for no subscription."""
    with gateway_refusals():
        bill = configured_stripe().invoice_paid_with(charge.object_id)
    if not bill:
        return None
    record_invoice(bill)
    return Payment.objects.filter(payment_method=STRIPE, gateway_object_id=charge.object_id).first()


def differences_of_subscriptions() -> list[Difference]:
    """Sync all subscriptions that Stripe bills; a change shows that a webhook message was lost."""
    found: list[Difference] = []
    mirrored = Subscription.objects.filter(billing_driver=BillingDriver.STRIPE, status__in=LIVE_STATUSES)
    for before in mirrored.order_by("pk"):
        name = before.stripe_subscription_id
        with noted(found, STRIPE, name):
            after = sync_subscription(name)
            if after is None:
                text = f"The subscription is {before.status} here, but the gateway does not know it."
                found.append(Difference(STRIPE, name, "missing_there", text, before))
            elif _terms(before) != _terms(after):
                text = f"Status, period or plan differed: {before.status} here, {after.status} at the gateway."
                found.append(Difference(STRIPE, name, "subscription", text, after, is_healed=True))
    return found


def _terms(subscription: Subscription) -> tuple[object, ...]:
    period = subscription.current_period_start, subscription.current_period_end
    return (subscription.status, subscription.plan_id, subscription.cancel_at_period_end, *period)
