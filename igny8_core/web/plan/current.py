"""How the account's plan stands: what it costs, what happens next, and what may be done about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from igny8_core.auth.models import Account, BillingDriver, Plan, Subscription, SubscriptionStatus, Terms
from igny8_core.auth.selectors import public_plans
from igny8_core.business.billing.selectors import last_subscription_of
from igny8_core.business.billing.services.subscriptions.plan_change import has_lapsed


class PlanState(StrEnum):
    """What the page says of the plan, and offers."""

    NONE = "none"  # no plan was ever ordered
    ORDERED = "ordered"  # waits for its first payment
    RUNS = "runs"
    ENDS = "ends"  # with its period: canceled
    SHRINKS = "shrinks"  # becomes a smaller one with the next period
    BEHIND = "behind"  # its renewal is not paid
    LAPSED = "lapsed"  # its paid period is over
    ENDED = "ended"
    ELSEWHERE = "elsewhere"  # Stripe bills it


@dataclass(frozen=True)
class Current:
    """The plan as it is in force; `subscription` is the live one, or the one that ended last."""

    state: PlanState
    terms: Terms
    name: str
    subscription: Subscription | None = None

    @property
    def next_at(self) -> datetime | None:
        """When its paid period ends."""
        return self.subscription.current_period_end if self.subscription else None

    @property
    def changes(self) -> bool:
        """Whether another plan can be previewed now."""
        return self.state in {PlanState.RUNS, PlanState.SHRINKS}

    @property
    def can_end(self) -> bool:
        """Whether there is something to cancel."""
        return self.state in {PlanState.RUNS, PlanState.SHRINKS, PlanState.BEHIND, PlanState.ORDERED}


def current_of(account: Account, now: datetime) -> Current:
    """The account's plan. A trial or an account without a plan has the terms of its account's plan."""
    subscription = last_subscription_of(account)
    if subscription is None:
        return Current(PlanState.NONE, account.plan.terms, account.plan.name)
    terms = subscription.terms or subscription.plan.terms
    return Current(_state(subscription, now), terms, subscription.plan.name, subscription)


def _state(subscription: Subscription, now: datetime) -> PlanState:
    if subscription.status == SubscriptionStatus.CANCELED:
        return PlanState.ENDED
    if subscription.billing_driver != BillingDriver.LOCAL:
        return PlanState.ELSEWHERE
    if subscription.status == SubscriptionStatus.PENDING_PAYMENT:
        return PlanState.ORDERED
    if subscription.status == SubscriptionStatus.PAST_DUE:
        return PlanState.BEHIND
    if has_lapsed(subscription, now):
        return PlanState.LAPSED
    if subscription.cancel_at_period_end:
        return PlanState.ENDS
    return PlanState.SHRINKS if subscription.pending_plan else PlanState.RUNS


@dataclass(frozen=True)
class Choice:
    """A plan that is on offer; whether it is the one that runs, or the one that comes next."""

    plan: Plan
    is_current: bool
    is_next: bool


def choices_for(current: Current) -> list[Choice]:
    """The plans that cost something, as they are sold now."""
    has, follows = current.subscription, current.subscription and current.subscription.pending_plan_id
    runs = current.changes or current.state in {PlanState.ENDS, PlanState.BEHIND}
    return [
        Choice(plan, _is_current(plan, current) if has and runs else False, plan.pk == follows)
        for plan in public_plans()
        if not plan.is_free
    ]


def _is_current(plan: Plan, current: Current) -> bool:
    in_force = (current.subscription and current.subscription.plan_id, current.terms.billing_cycle)
    return (plan.pk, plan.billing_cycle) == in_force
