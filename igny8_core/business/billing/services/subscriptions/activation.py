"""TODO igny8_core.business.billing.services.subscriptions.activation."""

from datetime import datetime

from igny8_core.auth.models import (
    SUBSCRIPTION_MOVES,
    BillingDriver,
    Plan,
    Subscription,
    SubscriptionStatus,
    Terms,
    terms_columns,
)
from igny8_core.business.billing.errors import (
    SubscriptionNotPayable,
)
from igny8_core.business.billing.models import InvoiceLine, LineKind, Payment
from igny8_core.business.billing.pricing import period_end, plan_line_of, sold_terms
from igny8_core.business.billing.services.subscriptions.plan_change import (
    require_current_price,
)
from igny8_core.business.billing.services.subscriptions.transitions import (
    activate_account,
    change_plan,
    plan_facts,
    subscription_event,
)
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.states import transition
from igny8_core.events import services as events


@service_transaction
def activate_subscription(subscription: Subscription, payment: Payment) -> Subscription:
    """Do what a paid invoice of the subscription sold: start its first period, or change its plan.

    The caller holds the account's lock. Raises SubscriptionNotPayable when it was canceled meanwhile,
    PlanChangeOutdated and PlanChangePeriodOver for a change that costs another amount now, or cannot begin.
    """
    if subscription.billing_driver != BillingDriver.LOCAL:
        # Its periods and its plan are as Stripe has them (sync_from_stripe), also after a last payment at the end.
        return subscription
    if subscription.status == SubscriptionStatus.CANCELED:
        raise SubscriptionNotPayable()
    line = plan_line_of(payment.invoice)
    actor = payment.approved_by_id
    if line and line.kind == LineKind.PLAN_CHANGE:
        now = payment.processed_at or clock.now()
        plan, terms = _sold(subscription, line, payment.currency)
        require_current_price(subscription, payment.invoice, line, plan, now)
        begin_plan(subscription, plan, terms, line, now, actor)
        return subscription
    if subscription.status != SubscriptionStatus.ACTIVE:
        plan, terms = _sold(subscription, line, payment.currency)
        _start_period(subscription, plan, terms, payment)
        events.record(subscription_event("subscription.activated", subscription, actor, plan_facts(plan)))
    activate_account(subscription, subscription.plan, actor)
    return subscription


def _sold(subscription: Subscription, line: InvoiceLine | None, currency: str) -> tuple[Plan, Terms]:
    """The plan that a paid line sells, and its terms; where an invoice sells none, the subscription's plan as it is."""
    if line is None or line.plan_id is None:
        plan = Plan.objects.get(pk=subscription.plan_id)
        return plan, plan.terms
    # Of the plan that came with the lock only its names are at hand, which is all that is needed nearly always.
    says_all = line.max_sites is not None and line.max_users is not None
    is_at_hand = says_all and line.plan_id == subscription.plan_id
    plan = subscription.plan if is_at_hand else Plan.objects.get(pk=line.plan_id)
    return plan, sold_terms(line, currency, plan)


def _start_period(subscription: Subscription, plan: Plan, terms: Terms, payment: Payment) -> None:
    start = payment.processed_at or clock.now()
    transition(
        subscription,
        SubscriptionStatus.ACTIVE,
        SUBSCRIPTION_MOVES,
        billing_anchor=start,
        current_period_start=start,
        current_period_end=period_end(start, 1, terms.billing_cycle),
        external_payment_id=payment.manual_reference or str(payment.uuid),
        plan=plan,
        **terms_columns(terms),
    )


def begin_plan(
    subscription: Subscription, plan: Plan, terms: Terms, line: InvoiceLine, now: datetime, actor: events.Actor
) -> None:
    """Move a running subscription to the plan that an invoice line sells; another cycle begins a period of its own."""
    if line.restarts_period:
        end_of_first = period_end(now, 1, terms.billing_cycle)
        period = {"billing_anchor": now, "current_period_start": now, "current_period_end": end_of_first}
        change_plan(subscription, plan, terms, actor, **period)
    else:
        change_plan(subscription, plan, terms, actor)
