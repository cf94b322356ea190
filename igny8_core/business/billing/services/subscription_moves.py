"""What happens to a subscription and its account, whoever's clock bills it. The caller holds the account's lock."""

from datetime import datetime
from typing import Any

from igny8_core.auth.models import (
    ACCOUNT_MOVES,
    SUBSCRIPTION_MOVES,
    Account,
    AccountStatus,
    BillingDriver,
    Plan,
    Subscription,
    SubscriptionStatus,
    SuspendedReason,
)
from igny8_core.business.billing.errors import SubscriptionBilledByStripe
from igny8_core.common.states import transition
from igny8_core.events import services as events


def require_billed_here(subscription: Subscription) -> None:
    """Refuse to change what Stripe bills. Raises SubscriptionBilledByStripe, until it has ended."""
    if subscription.billing_driver != BillingDriver.LOCAL and subscription.status != SubscriptionStatus.CANCELED:
        raise SubscriptionBilledByStripe()


def end(subscription: Subscription, ended_at: datetime, actor: events.Actor) -> None:
    """End a subscription, and with it its account, for good."""
    transition(
        subscription,
        SubscriptionStatus.CANCELED,
        SUBSCRIPTION_MOVES,
        canceled_at=ended_at,
        cancel_at_period_end=False,
        pending_plan=None,
    )
    events.record(subscription_event("subscription.canceled", subscription, actor, {"plan": subscription.plan.slug}))
    # A trial that takes back its order is a trial still, and what an operator suspended only an operator lifts.
    if subscription.account.status != AccountStatus.TRIAL and not is_held(subscription.account):
        move_account(subscription.account, AccountStatus.CANCELED, "account.canceled", actor)


def change_plan(subscription: Subscription, plan: Plan, actor: events.Actor, *changed: str) -> None:
    """Move a running subscription and its account to another plan; saves the `changed` columns with it."""
    facts = {"from": subscription.plan.slug, "to": plan.slug}
    subscription.plan, subscription.pending_plan = plan, None
    subscription.save(update_fields=["plan", "pending_plan", *changed])
    events.record(subscription_event("subscription.plan_changed", subscription, actor, facts))
    give_plan(subscription)


def activate_account(subscription: Subscription, plan: str, actor: events.Actor) -> None:
    """Let the account work with what was paid for; `plan` is the slug of what was sold."""
    account = subscription.account
    if is_held(account) or account.status == AccountStatus.ACTIVE:
        # The status stays, but what was paid for counts: its limits hold at once, or when the suspension is lifted.
        give_plan(subscription)
        return
    facts = {"plan": plan}
    move_account(account, AccountStatus.ACTIVE, "account.activated", actor, facts, plan_id=subscription.plan_id)


def give_plan(subscription: Subscription) -> None:
    """Give the account the limits of its subscription's plan."""
    account = subscription.account
    if account.plan_id != subscription.plan_id:
        account.plan_id = subscription.plan_id
        account.save(update_fields=["plan"])


def is_held(account: Account) -> bool:
    """Whether an operator suspended the account, which only an operator lifts (domain.md section 3)."""
    return account.status == AccountStatus.SUSPENDED and account.suspended_reason == SuspendedReason.OPERATOR


def move_account(
    account: Account,
    to: AccountStatus,
    event_type: str,
    actor: events.Actor,
    facts: dict[str, str] | None = None,
    **changes: Any,
) -> None:
    """Move an account's status, with its event. Raises MoveNotAllowed."""
    before = account.status
    transition(account, to, ACCOUNT_MOVES, **{"suspended_reason": "", **changes})
    events.record(events.about(event_type, account, actor, {"from": before, **(facts or {})}))


def subscription_event(
    event_type: str, subscription: Subscription, actor: events.Actor, facts: dict[str, str]
) -> events.NewEvent:
    """An event of a subscription."""
    return events.about(event_type, subscription, actor, facts)
