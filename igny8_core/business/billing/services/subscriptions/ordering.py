"""Order a subscription, a larger plan or a smaller one.

A function that withdraws an unpaid order first closes open attempts to pay it. It raises InvoicePaidMeanwhile,
PaymentBeingChecked or AttemptNotClosed if an attempt was paid, may be paid or cannot be closed.
"""

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import (
    Account,
    AccountStatus,
    Plan,
    Subscription,
    User,
)
from igny8_core.business.billing.errors import (
    NotADowngrade,
    NotAnUpgrade,
    OverLimits,
    SubscriptionAlreadyLive,
)
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.selectors import (
    live_subscription_of,
    open_invoices_of,
    open_plan_changes_of,
)
from igny8_core.business.billing.services.invoices.lifecycle import (
    create_invoice,
    create_subscription_invoice,
)
from igny8_core.business.billing.services.invoices.lines import unsaved_lines
from igny8_core.business.billing.services.payment_methods.availability import required_offer
from igny8_core.business.billing.services.payment_methods.saved import use_method
from igny8_core.business.billing.services.subscriptions.activation import begin_plan
from igny8_core.business.billing.services.subscriptions.plan_change import (
    Agreed,
    ChangeKind,
    has_lapsed,
    over_limits_text,
    quote_as_shown,
    quote_change,
    require_offered,
)
from igny8_core.business.billing.services.subscriptions.transitions import (
    end_subscription,
    limit_facts,
    plan_facts,
    subscription_event,
    transition_account,
)
from igny8_core.business.billing.services.subscriptions.withdrawing import withdraw_orders, withdraw_renewal
from igny8_core.common import clock
from igny8_core.common.db import refusing, service_transaction
from igny8_core.common.marks import gettext_noop
from igny8_core.events import services as events

NOTHING_SHOWN = Agreed()


@service_transaction
def create_subscription(
    account: Account, plan: Plan, payment_method: str, created_by: User | None = None
) -> Subscription:
    """Order a paid plan: create the subscription, which waits for payment, and its invoice.

    `payment_method` becomes the account's default. A canceled account waits for payment again; a trial continues
    meanwhile. A subscription whose paid period is over is ended by the new order.
    Raises PlanNotOffered for a free, inactive or non-public plan, PaymentMethodNotAvailable, GatewayNotConfigured,
    SubscriptionAlreadyLive, PaymentUnderWay if a payment for the ended subscription is under way.
    """
    account = lock_account(account.pk)
    require_offered(plan)
    offer = required_offer(account, payment_method, (plan.price, plan.currency))
    _end_lapsed(account, created_by)
    with refusing("igny8_subscriptions_one_live", SubscriptionAlreadyLive()):
        subscription = Subscription.objects.create(account=account, plan=plan)
    use_method(account, payment_method, offer.display_name)
    facts = {**plan_facts(plan), "payment_method": payment_method}
    events.record(subscription_event("subscription.created", subscription, created_by, facts))
    if account.status == AccountStatus.CANCELED:
        transition_account(account, AccountStatus.PENDING_PAYMENT, "account.awaiting_payment", created_by)
    create_subscription_invoice(subscription, created_by)
    return subscription


@service_transaction
def upgrade_subscription(
    subscription: Subscription, new_plan: Plan, upgraded_by: User | None = None, agreed: Agreed = NOTHING_SHOWN
) -> Invoice | None:
    """Order a larger plan. Returns the invoice for the prorated difference; the plan changes when it is paid.

    Returns None if the difference rounds to zero; the plan has then changed at once. An earlier unpaid order of a
    change is voided. `agreed`: the amounts that the customer was shown; it may cost less, not more.
    Raises PriceMoved, PlanNotOffered, SubscriptionBilledByStripe, SubscriptionNotActive, SubscriptionEnding,
    SubscriptionLapsed, RenewalPaid, SamePlan, ChangeBelowZero, NotAnUpgrade, OverLimits, PaymentUnderWay.
    """
    subscription = locked_subscription(subscription)
    require_offered(new_plan)
    now = clock.now()
    change = quote_as_shown(subscription, new_plan, agreed, now)
    if change.kind != ChangeKind.UPGRADE:
        raise NotAnUpgrade()
    if change.over_limits:
        raise OverLimits(over_limits_text(change.over_limits))
    change.require_agreed(agreed)
    withdraw_orders(open_plan_changes_of(subscription), upgraded_by)
    facts = plan_facts(subscription.plan, "from") | plan_facts(new_plan, "to")
    events.record(subscription_event("subscription.upgrade_ordered", subscription, upgraded_by, facts))
    if change.total == 0:
        line = unsaved_lines(subscription.account, change.lines)[-1]
        begin_plan(subscription, new_plan, new_plan.terms, line, now, upgraded_by)
        return None
    return create_invoice(
        subscription.account, change.lines, subscription, currency=change.currency, created_by=upgraded_by
    )


@service_transaction
def downgrade_subscription(
    subscription: Subscription, new_plan: Plan, downgraded_by: User | None = None, agreed: Agreed = NOTHING_SHOWN
) -> Subscription:
    """Schedule a smaller plan for the end of the period. The account's usage is checked against its limits then.

    `agreed`: the amounts that the customer was shown; it may cost less, not more.
    Raises PriceMoved, PlanNotOffered, SubscriptionBilledByStripe, SubscriptionNotActive, SubscriptionEnding,
    SubscriptionLapsed, RenewalPaid, SamePlan, NotADowngrade, PaymentUnderWay.
    """
    subscription = locked_subscription(subscription)
    require_offered(new_plan)
    change = quote_change(subscription, new_plan, clock.now())
    if change.kind != ChangeKind.DOWNGRADE:
        raise NotADowngrade()
    change.require_agreed(agreed)
    withdraw_orders(open_plan_changes_of(subscription), downgraded_by)
    withdraw_renewal(subscription, gettext_noop("A smaller plan begins with the next period"), downgraded_by)
    subscription.pending_plan = new_plan
    subscription.save(update_fields=["pending_plan"])
    facts = plan_facts(subscription.plan, "from") | plan_facts(new_plan, "to") | limit_facts(new_plan.terms)
    events.record(subscription_event("subscription.downgrade_scheduled", subscription, downgraded_by, facts))
    return subscription


def locked_subscription(subscription: Subscription) -> Subscription:
    """The subscription, read under its account's lock, with account and plans."""
    account = lock_account(subscription.account_id)
    locked = Subscription.objects.select_related("plan", "pending_plan").get(account=account, pk=subscription.pk)
    locked.account = account
    return locked


def _end_lapsed(account: Account, actor: User | None) -> None:
    """End the account's subscription whose paid period is over, so that another one can be ordered."""
    if account.status in {AccountStatus.TRIAL, AccountStatus.PENDING_PAYMENT, AccountStatus.CANCELED}:
        return
    subscription, now = live_subscription_of(account), clock.now()
    if subscription and has_lapsed(subscription, now):
        subscription.account = account
        # Unpaid credit packages stay, because this does not cancel the account: it waits for its next payment.
        withdraw_orders(open_invoices_of(subscription), actor)
        end_subscription(subscription, now, actor)
