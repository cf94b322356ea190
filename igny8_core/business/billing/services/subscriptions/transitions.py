"""What happens to a subscription and its account, whoever's clock bills it. The caller holds the account's lock."""

from datetime import datetime
from typing import Any

from igny8_core.auth.models import (
    ACCOUNT_TRANSITIONS,
    SUBSCRIPTION_TRANSITIONS,
    Account,
    AccountStatus,
    BillingDriver,
    Plan,
    Subscription,
    SubscriptionStatus,
    SuspendedReason,
    Terms,
    terms_columns,
)
from igny8_core.business.billing.errors import SubscriptionBilledByStripe
from igny8_core.common.states import transition
from igny8_core.events import services as events


def require_billed_here(subscription: Subscription) -> None:
    """Refuse to change what Stripe bills. Raises SubscriptionBilledByStripe, until it has ended."""
    if subscription.billing_driver != BillingDriver.LOCAL and subscription.status != SubscriptionStatus.CANCELED:
        raise SubscriptionBilledByStripe()


def end_subscription(subscription: Subscription, ended_at: datetime, actor: events.Actor) -> None:
    """End a subscription, and with it its account, for good."""
    transition(
        subscription,
        SubscriptionStatus.CANCELED,
        SUBSCRIPTION_TRANSITIONS,
        canceled_at=ended_at,
        cancel_at_period_end=False,
        pending_plan=None,
    )
    facts = plan_facts(subscription.plan)
    events.record(subscription_event("subscription.canceled", subscription, actor, facts))
    if is_canceled_with(subscription):
        transition_account(subscription.account, AccountStatus.CANCELED, "account.canceled", actor)


def is_canceled_with(subscription: Subscription) -> bool:
    """Whether the account is canceled when this subscription ends.

    A trial that takes back its order is a trial still, and what an operator suspended only an operator lifts.
    """
    return subscription.account.status != AccountStatus.TRIAL and not is_held(subscription.account)


def change_plan(
    subscription: Subscription, plan: Plan, terms: Terms, actor: events.Actor, **changes: datetime | None
) -> None:
    """Move a running subscription and its account to another plan, of which `terms` are in force from now on.

    Other columns `changes` are saved with it.
    """
    facts = plan_facts(subscription.plan, "from") | plan_facts(plan, "to") | limit_facts(terms)
    columns = {"plan": plan, "pending_plan": None, **terms_columns(terms), **changes}
    for name, value in columns.items():
        setattr(subscription, name, value)
    subscription.save(update_fields=list(columns))
    events.record(subscription_event("subscription.plan_changed", subscription, actor, facts))
    give_plan(subscription)


def activate_account(subscription: Subscription, plan: Plan, actor: events.Actor) -> None:
    """Let the account work with what was paid for; `plan` is what was sold."""
    account = subscription.account
    if is_held(account) or account.status == AccountStatus.ACTIVE:
        # The status stays, but what was paid for counts: its limits hold at once, or when the suspension is lifted.
        give_plan(subscription)
        return
    facts = plan_facts(plan)
    transition_account(account, AccountStatus.ACTIVE, "account.activated", actor, facts, plan_id=subscription.plan_id)


def give_plan(subscription: Subscription) -> None:
    """Give the account the limits of its subscription's plan."""
    account = subscription.account
    if account.plan_id != subscription.plan_id:
        account.plan_id = subscription.plan_id
        account.save(update_fields=["plan"])


def is_held(account: Account) -> bool:
    """Whether an operator suspended the account, which only an operator lifts (domain.md section 3)."""
    return account.status == AccountStatus.SUSPENDED and account.suspended_reason == SuspendedReason.OPERATOR


def transition_account(
    account: Account,
    to: AccountStatus,
    event_type: str,
    actor: events.Actor,
    facts: dict[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Move an account's status, with its event. Raises TransitionNotAllowed."""
    before = account.status
    transition(account, to, ACCOUNT_TRANSITIONS, **{"suspended_reason": "", **changes})
    events.record(events.about(event_type, account, actor, {"from": before, **(facts or {})}))


def subscription_event(
    event_type: str, subscription: Subscription, actor: events.Actor, facts: dict[str, Any]
) -> events.NewEvent:
    """An event of a subscription."""
    return events.about(event_type, subscription, actor, facts)


def plan_facts(plan: Plan, name: str = "plan") -> dict[str, Any]:
    """Which plan an event tells of, as `name`: its slug and name as they are now, and the id by which it is found."""
    return {name: plan.slug, f"{name}_id": plan.pk, f"{name}_name": plan.name}


def limit_facts(terms: Terms) -> dict[str, int]:
    """What a period includes, for events that customers are told of."""
    return {"max_sites": terms.max_sites, "max_users": terms.max_users, "credits": terms.credits}
