"""What a change of plan costs and when it takes effect: the quote that preview shows and upgrade and downgrade use."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from igny8_core.auth.models import Account, BillingCycle, Plan, Subscription, SubscriptionStatus, Terms
from igny8_core.auth.selectors import OverLimit, over_limits, public_plans
from igny8_core.business.billing.errors import (
    PlanNotOffered,
    SamePlan,
    SubscriptionEnding,
    SubscriptionNotActive,
)
from igny8_core.business.billing.pricing import (
    Period,
    checked_lines,
    period_end,
    plan_change_lines,
    plan_line,
    subtotal,
)
from igny8_core.business.billing.selectors import live_subscription_of
from igny8_core.business.billing.services.subscription_moves import require_billed_here
from igny8_core.common import clock


class ChangeKind(StrEnum):
    """What an order of a plan is, seen from what the account has."""

    ORDER = "order"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"


@dataclass(frozen=True)
class Quote:
    """What moving to `plan` means: `lines` are invoiced now, `credits` granted when that is paid.

    `effective_at` None: when the invoice is paid. `renews_at` None: a period after that. `over_limits` is what the
    account uses beyond the new plan today; a downgrade is refused for it only when it would take effect.
    """

    kind: ChangeKind
    plan: Plan
    lines: list[dict[str, Any]] = field(default_factory=list)
    credits: int = 0
    effective_at: datetime | None = None
    renews_at: datetime | None = None
    over_limits: list[OverLimit] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """What is due now."""
        return subtotal(self.lines)

    @property
    def currency(self) -> str:
        """ISO 4217."""
        return self.plan.currency


def quote(account: Account, plan: Plan, now: datetime | None = None) -> Quote:
    """What it means for the account to order `plan` now. Changes nothing.

    Raises PlanNotOffered for a plan that cannot be ordered, SubscriptionNotActive where the live subscription waits for
    payment or is past due, SubscriptionEnding where it is set to end, SubscriptionBilledByStripe.
    """
    require_offered(plan)
    subscription = live_subscription_of(account)
    if subscription is None:
        line = plan_line(plan)
        return Quote(ChangeKind.ORDER, plan, [line], line["credits"], over_limits=over_limits(account, plan))
    return quote_change(subscription, plan, now or clock.now())


def quote_change(subscription: Subscription, plan: Plan, now: datetime) -> Quote:
    """As quote(), for a live subscription."""
    require_changeable(subscription)
    terms = terms_in_force(subscription)
    if (plan.pk, plan.billing_cycle) == (subscription.plan_id, terms.billing_cycle):
        raise SamePlan()
    period = running_period(subscription, now)
    if plan.currency != terms.currency:
        raise PlanNotOffered(
            f"The plan {plan.name} is sold in {plan.currency}, and yours is paid in {terms.currency}. Cancel your plan "
            "first, then order the other one."
        )
    exceeded = over_limits(subscription.account, plan)
    if not _is_above(plan, terms):
        return Quote(ChangeKind.DOWNGRADE, plan, effective_at=period.end, renews_at=period.end, over_limits=exceeded)
    lines = checked_lines(plan_change_lines(terms, subscription.plan, plan, period), plan.currency)
    restarts = plan.billing_cycle != terms.billing_cycle
    renews_at = period_end(now, 1, plan.billing_cycle) if restarts else period.end
    return Quote(ChangeKind.UPGRADE, plan, lines, lines[-1]["credits"], None, renews_at, exceeded)


def require_offered(plan: Plan) -> None:
    """Refuse a plan that is free, inactive or not public. Raises PlanNotOffered."""
    if plan.is_free or not (plan.is_active and plan.is_public):
        raise PlanNotOffered(errors={"plan_slug": [PlanNotOffered.text]})


def offered_plan(slug: str) -> Plan:
    """The public plan with this slug. Raises PlanNotOffered."""
    plan = public_plans().filter(slug=slug).first()
    if plan is None:
        raise PlanNotOffered(errors={"plan_slug": [PlanNotOffered.text]})
    return plan


def require_changeable(subscription: Subscription) -> None:
    """Refuse to change the plan where that cannot be done now.

    Raises SubscriptionBilledByStripe, SubscriptionNotActive, SubscriptionEnding.
    """
    require_billed_here(subscription)
    if subscription.status != SubscriptionStatus.ACTIVE:
        raise SubscriptionNotActive()
    if subscription.cancel_at_period_end:
        raise SubscriptionEnding()


def terms_in_force(subscription: Subscription) -> Terms:
    """What the customer has, whatever became of the plan. Raises SubscriptionNotActive before the first payment."""
    if subscription.terms is None:
        raise SubscriptionNotActive()
    return subscription.terms


def running_period(subscription: Subscription, now: datetime) -> Period:
    """The subscription's period, seen from `now`. Raises SubscriptionNotActive where it has none."""
    if subscription.current_period_start is None or subscription.current_period_end is None:
        raise SubscriptionNotActive()
    return Period(subscription.current_period_start, subscription.current_period_end, now)


def _is_above(plan: Plan, sold: Terms) -> bool:
    # A longer cycle is paid ahead, so it can start at once; a shorter one waits until what was paid for is used up.
    if plan.billing_cycle != sold.billing_cycle:
        return plan.billing_cycle == BillingCycle.ANNUAL
    return bool(plan.price > sold.price)
