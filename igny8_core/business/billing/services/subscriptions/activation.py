"""A paid invoice starts its subscription's first period, or changes its plan."""

from datetime import datetime

from igny8_core.auth.models import (
    SUBSCRIPTION_TRANSITIONS,
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
from igny8_core.business.billing.models import InvoiceLine, LineKind, Payment, Renewal
from igny8_core.business.billing.pricing import period_end, plan_line_of, sold_terms
from igny8_core.business.billing.services.subscriptions.plan_change import (
    require_current_price,
    require_next_not_paid,
)
from igny8_core.business.billing.services.subscriptions.renewed import (
    begin_renewed,
    keep_until_start,
    renewal_paid_by,
)
from igny8_core.business.billing.services.subscriptions.transitions import (
    activate_account,
    change_plan,
    plan_facts,
    subscription_event,
)
from igny8_core.business.billing.services.subscriptions.withdrawing import withdraw_renewal
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.marks import gettext_noop
from igny8_core.common.states import transition
from igny8_core.events import services as events


@service_transaction
def activate_subscription(subscription: Subscription, payment: Payment) -> Subscription:
    """Deliver what the paid invoice sold: start the subscription's first period, renew it, or change its plan.

    The caller holds the account's lock. Raises SubscriptionNotPayable if the subscription was canceled meanwhile. For a
    change of plan: RenewalPaid if the next period is paid already, PlanChangeOutdated if its price has changed,
    PlanChangePeriodOver if its period is over, PaymentUnderWay if a renewal is being paid.
    """
    if subscription.billing_driver != BillingDriver.LOCAL:
        # Periods and plan follow Stripe (sync_from_stripe), even if this payment came after the subscription's end.
        return subscription
    if subscription.status == SubscriptionStatus.CANCELED:
        raise SubscriptionNotPayable()
    line = plan_line_of(payment.invoice)
    actor = payment.approved_by_id
    if line and line.kind == LineKind.PLAN_CHANGE:
        now = payment.processed_at or clock.now()
        plan, terms = _sold(subscription, line, payment.currency)
        require_next_not_paid(subscription)
        require_current_price(subscription, payment.invoice, line, plan, now)
        begin_plan(subscription, plan, terms, line, now, actor)
        return subscription
    renewal = renewal_paid_by(payment.invoice, subscription) if line and line.is_renewal else None
    if renewal:
        now = payment.processed_at or clock.now()
        if renewal.period_start > now:
            keep_until_start(renewal, actor)
            return subscription
        begin_renewal(subscription, renewal, payment, now)
    elif subscription.status != SubscriptionStatus.ACTIVE:
        plan, terms = _sold(subscription, line, payment.currency)
        _start_period(subscription, plan, terms, payment)
        events.record(subscription_event("subscription.activated", subscription, actor, plan_facts(plan)))
    activate_account(subscription, subscription.plan, actor)
    return subscription


def begin_renewal(subscription: Subscription, renewal: Renewal, payment: Payment, now: datetime) -> None:
    """Begin the period of a renewal that a payment paid. Raises SubscriptionNotPayable."""
    sold = _sold(subscription, plan_line_of(payment.invoice), payment.currency)
    begin_renewed(subscription, renewal, sold, now, _reference(payment), payment.approved_by_id)


def _reference(payment: Payment) -> str:
    return payment.manual_reference or str(payment.uuid)


def _sold(subscription: Subscription, line: InvoiceLine | None, currency: str) -> tuple[Plan, Terms]:
    """The plan that a paid line sells, and its terms; without such a line, the subscription's plan as it is now."""
    if line is None or line.plan_id is None:
        plan = Plan.objects.get(pk=subscription.plan_id)
        return plan, plan.terms
    # The lock loads just the plan's slug and name, which is nearly always enough.
    says_all = line.max_sites is not None and line.max_users is not None
    is_at_hand = says_all and line.plan_id == subscription.plan_id
    plan = subscription.plan if is_at_hand else Plan.objects.get(pk=line.plan_id)
    return plan, sold_terms(line, currency, plan)


def _start_period(subscription: Subscription, plan: Plan, terms: Terms, payment: Payment) -> None:
    start = payment.processed_at or clock.now()
    transition(
        subscription,
        SubscriptionStatus.ACTIVE,
        SUBSCRIPTION_TRANSITIONS,
        billing_anchor=start,
        current_period_start=start,
        current_period_end=period_end(start, 1, terms.billing_cycle),
        external_payment_id=_reference(payment),
        plan=plan,
        **terms_columns(terms),
    )


def begin_plan(
    subscription: Subscription, plan: Plan, terms: Terms, line: InvoiceLine, now: datetime, actor: events.Actor
) -> None:
    """Change a running subscription to the plan that an invoice line sells. Another cycle starts a new period.

    An unpaid renewal is withdrawn, because the next period costs something else now.
    Raises PaymentUnderWay, AttemptOpen.
    """
    withdraw_renewal(subscription, gettext_noop("The plan was changed"), actor)
    if line.restarts_period:
        end_of_first = period_end(now, 1, terms.billing_cycle)
        period = {"billing_anchor": now, "current_period_start": now, "current_period_end": end_of_first}
        change_plan(subscription, plan, terms, actor, **period)
    else:
        change_plan(subscription, plan, terms, actor)
