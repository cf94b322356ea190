"""Changes of a subscription and its account, whether we or Stripe bill it. The caller holds the account's lock."""

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
from igny8_core.business.billing.services.subscriptions.withdrawing import end_renewal
from igny8_core.common.states import transition
from igny8_core.events import services as events


def require_billed_here(subscription: Subscription) -> None:
    """Refuse to change a live subscription that Stripe bills. Raises SubscriptionBilledByStripe."""
    if subscription.billing_driver != BillingDriver.LOCAL and subscription.status != SubscriptionStatus.CANCELED:
        raise SubscriptionBilledByStripe()


def mark_past_due(subscription: Subscription, facts: dict[str, Any] | None = None) -> None:
    """A period was not paid in time: the subscription is past due, and its account unless something worse holds it."""
    account = subscription.account
    if subscription.status != SubscriptionStatus.PAST_DUE:
        transition(subscription, SubscriptionStatus.PAST_DUE, SUBSCRIPTION_TRANSITIONS)
        told = plan_facts(subscription.plan) | (facts or {})
        events.record(subscription_event("subscription.past_due", subscription, None, told))
    if account.status == AccountStatus.ACTIVE:
        transition_account(account, AccountStatus.PAST_DUE, "account.past_due", None)


def suspend_unpaid(account: Account, facts: dict[str, Any]) -> None:
    """Suspend an account that is past due for want of payment; one in another status stays as it is."""
    if account.status != AccountStatus.PAST_DUE:
        return
    reason = SuspendedReason.NON_PAYMENT
    told = {"suspended_reason": reason.value, **facts}
    transition_account(account, AccountStatus.SUSPENDED, "account.suspended", None, told, suspended_reason=reason)


def end_subscription(subscription: Subscription, ended_at: datetime, actor: events.Actor, because: str = "") -> None:
    """End a subscription for good. Its account is canceled with it, unless is_canceled_with says no.

    `because`: a word for the event, if it did not end by the customer's wish.
    """
    transition(
        subscription,
        SubscriptionStatus.CANCELED,
        SUBSCRIPTION_TRANSITIONS,
        canceled_at=ended_at,
        cancel_at_period_end=False,
        pending_plan=None,
    )
    end_renewal(subscription, actor)
    facts = plan_facts(subscription.plan) | ({"because": because} if because else {})
    events.record(subscription_event("subscription.canceled", subscription, actor, facts))
    if is_canceled_with(subscription):
        transition_account(subscription.account, AccountStatus.CANCELED, "account.canceled", actor)


def is_canceled_with(subscription: Subscription) -> bool:
    """Whether the account is canceled when this subscription ends.

    A trial that cancels its unpaid order stays a trial. An account that an operator suspended stays suspended.
    """
    return subscription.account.status != AccountStatus.TRIAL and not is_held(subscription.account)


def change_plan(
    subscription: Subscription, plan: Plan, terms: Terms, actor: events.Actor, **changes: datetime | None
) -> None:
    """Change a running subscription and its account to another plan. `terms` are in force from now on.

    `changes`: other columns of the subscription to save.
    """
    facts = plan_facts(subscription.plan, "from") | plan_facts(plan, "to") | limit_facts(terms)
    columns = {"plan": plan, "pending_plan": None, **terms_columns(terms), **changes}
    for name, value in columns.items():
        setattr(subscription, name, value)
    subscription.save(update_fields=list(columns))
    events.record(subscription_event("subscription.plan_changed", subscription, actor, facts))
    give_plan(subscription)


def activate_account(subscription: Subscription, plan: Plan, actor: events.Actor) -> None:
    """Activate the account with the plan that was paid for; `plan` is what was sold."""
    account = subscription.account
    if is_held(account) or account.status == AccountStatus.ACTIVE:
        # The status stays as it is. A suspended account gets the plan's limits for when the suspension is lifted.
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
    """Whether an operator suspended the account. A payment does not lift that (docs/domain.md section 3)."""
    return account.status == AccountStatus.SUSPENDED and account.suspended_reason == SuspendedReason.OPERATOR


def transition_account(
    account: Account,
    to: AccountStatus,
    event_type: str,
    actor: events.Actor,
    facts: dict[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Change an account's status and record the event. Raises TransitionNotAllowed."""
    before = account.status
    transition(account, to, ACCOUNT_TRANSITIONS, **{"suspended_reason": "", **changes})
    events.record(events.about(event_type, account, actor, {"from": before, **(facts or {})}))


def subscription_event(
    event_type: str, subscription: Subscription, actor: events.Actor, facts: dict[str, Any]
) -> events.NewEvent:
    """An event about a subscription."""
    return events.about(event_type, subscription, actor, facts)


def plan_facts(plan: Plan, name: str = "plan") -> dict[str, Any]:
    """The plan that an event is about: its current slug as `name`, its id as `name`_id and its name as `name`_name."""
    return {name: plan.slug, f"{name}_id": plan.pk, f"{name}_name": plan.name}


def limit_facts(terms: Terms) -> dict[str, int]:
    """What a period includes, for events about which customers get a mail."""
    return {"max_sites": terms.max_sites, "max_users": terms.max_users, "credits": terms.credits}
