"""Subscriptions for use in a shell. Each call forwards to subscriptions/ or stripe_billing/."""

from igny8_core.business.billing.services.stripe_billing import subscriptions as stripe_subscriptions
from igny8_core.business.billing.services.subscriptions import activation, ending, ordering


class SubscriptionService:
    """Order a subscription, start it, change its plan, end it. One that Stripe bills is changed at Stripe."""

    create_subscription = staticmethod(ordering.create_subscription)
    activate = staticmethod(activation.activate_subscription)
    upgrade_subscription = staticmethod(ordering.upgrade_subscription)
    downgrade_subscription = staticmethod(ordering.downgrade_subscription)
    cancel_subscription = staticmethod(ending.cancel_subscription)
    reactivate_subscription = staticmethod(ending.reactivate_subscription)
    end_period = staticmethod(ending.end_period)
    end_due_periods = staticmethod(ending.end_due_periods)
    sync_from_stripe = staticmethod(stripe_subscriptions.sync_subscription)
