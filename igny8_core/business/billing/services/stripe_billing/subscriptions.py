"""Subscriptions that were created at Stripe and are billed there: our rows follow Stripe's."""

import logging
import re
from datetime import datetime
from typing import Any

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import (
    LIVE_STATUSES,
    SUBSCRIPTION_TRANSITIONS,
    Account,
    AccountStatus,
    BillingDriver,
    Plan,
    Subscription,
    SubscriptionStatus,
    terms_columns,
)
from igny8_core.business.billing.errors import UnmatchedAtGateway
from igny8_core.business.billing.gateways import configured_stripe
from igny8_core.business.billing.gateways.protocol import UnknownObject
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.gateways.stripe.mirrored import MirroredSubscription
from igny8_core.business.billing.selectors import open_invoices_of
from igny8_core.business.billing.services.invoices.lifecycle import mark_void
from igny8_core.business.billing.services.payment_states.under_way import payment_being_decided
from igny8_core.business.billing.services.subscriptions.transitions import (
    activate_account,
    change_plan,
    end_subscription,
    mark_past_due,
    plan_facts,
    subscription_event,
    suspend_unpaid,
    transition_account,
)
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.common.marks import gettext_noop
from igny8_core.common.states import transition
from igny8_core.events import services as events

logger = logging.getLogger(__name__)
UNPAID = "unpaid"
STATUSES = {
    "incomplete": SubscriptionStatus.PENDING_PAYMENT,
    "trialing": SubscriptionStatus.ACTIVE,
    "active": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    UNPAID: SubscriptionStatus.PAST_DUE,
    "canceled": SubscriptionStatus.CANCELED,
    "incomplete_expired": SubscriptionStatus.CANCELED,
}


def sync_subscription(stripe_subscription_id: str, *, has_paid: bool = False) -> Subscription | None:
    """Ask Stripe about a subscription and bring our row up to date; None if it is nothing to us.

    `has_paid`: one of its invoices is paid, so it is recorded even if it has already ended. Safe in any order and any
    number of times. Raises UnmatchedAtGateway, GatewayNotConfigured, GatewayUnavailable, GatewayMisconfigured.
    RuntimeError in a transaction.
    """
    require_no_transaction()
    asked_at = clock.now()
    try:
        with gateway_refusals():
            seen = configured_stripe().subscription(stripe_subscription_id)
    except UnknownObject:
        return None
    return _record(seen, asked_at, has_paid)


@service_transaction
def _record(seen: MirroredSubscription, asked_at: datetime, has_paid: bool) -> Subscription | None:
    account_id = _account_id(seen)
    if account_id is None:
        return None
    account = lock_account(account_id)
    subscription = _find_or_link(account, seen, has_paid)
    # A later request has already written a newer state.
    if subscription is None or (subscription.stripe_synced_at or asked_at) > asked_at:
        return subscription
    subscription.account = account
    if subscription.status != SubscriptionStatus.CANCELED:
        _follow_period(subscription, seen)
        _follow_plan(subscription, seen)
    subscription.stripe_synced_at = asked_at
    subscription.save(update_fields=["stripe_synced_at"])
    _follow_status(subscription, seen)
    return subscription


def _account_id(seen: MirroredSubscription) -> int | None:
    known = Subscription.objects.filter(stripe_subscription_id=seen.subscription_id).first()
    if known:
        return known.account_id
    customer = Account.objects.filter(stripe_customer_id=seen.customer_id).first() if seen.customer_id else None
    return customer.pk if customer else None


def _find_or_link(account: Account, seen: MirroredSubscription, has_paid: bool) -> Subscription | None:
    """The account's row for a subscription at Stripe, created if needed; None if there is nothing to record.

    A row is found by Stripe's id, otherwise by our own id in Stripe's metadata, which needs our secret key to write.
    An unpaid order here for the same plan is handed over to Stripe. Raises UnmatchedAtGateway if the account has
    another live subscription.
    """
    rows = Subscription.objects.filter(account=account).select_related("plan", "pending_plan")
    known = rows.filter(stripe_subscription_id=seen.subscription_id).first()
    status = STATUSES.get(seen.status)
    if known or account.deleted_at or status is None:
        return known
    if status == SubscriptionStatus.CANCELED:
        return _create_ended(account, seen) if has_paid else None
    number = seen.metadata.get("subscription_id", "")
    named = rows.filter(pk=number).first() if re.fullmatch("[0-9]{1,18}", number) else None
    if named and named.billing_driver == BillingDriver.LOCAL and named.status == SubscriptionStatus.PENDING_PAYMENT:
        return _hand_over(named, seen)
    live = rows.filter(status__in=LIVE_STATUSES).first()
    plan = _plan_of(seen)
    if live and (has_paid or status != SubscriptionStatus.PENDING_PAYMENT):
        if _is_order_for(live, plan):
            return _hand_over(live, seen)
        raise UnmatchedAtGateway(_conflict_text(live, seen, plan))
    if live or plan is None:
        logger.error(
            "subscription at Stripe fits nothing here",
            extra={"account": account.pk, "stripe_subscription": seen.subscription_id, "price": seen.price_id},
        )
        return None
    return _create(account, plan, seen)


def _is_order_for(ordered: Subscription, plan: Plan | None) -> bool:
    """Whether the subscription at Stripe is the one ordered here, and nobody is paying for the order here."""
    if ordered.billing_driver != BillingDriver.LOCAL or ordered.status != SubscriptionStatus.PENDING_PAYMENT:
        return False
    return ordered.plan == plan and payment_being_decided(*open_invoices_of(ordered)) is None


def _conflict_text(live: Subscription, seen: MirroredSubscription, plan: Plan | None) -> str:
    """What an operator reads when an account has a live subscription here and another one at Stripe."""
    bought = plan.name if plan else f"price {seen.price_id or 'unnamed'}, which no plan has"
    return (
        f"Stripe bills {seen.subscription_id} ({bought}), but the account already has subscription {live.pk} here "
        f"({live.plan.name}, {live.get_status_display().lower()}). End one of the two, refund what was paid for it, "
        "and process the message again."
    )


def _hand_over(subscription: Subscription, seen: MirroredSubscription) -> Subscription:
    """Let Stripe bill a subscription that waits for its first payment. We never bill it again."""
    subscription.billing_driver = BillingDriver.STRIPE
    subscription.stripe_subscription_id = seen.subscription_id
    subscription.save(update_fields=["billing_driver", "stripe_subscription_id"])
    for invoice in open_invoices_of(subscription):
        if payment_being_decided(invoice):
            logger.error("an invoice is being paid that Stripe bills, too", extra={"invoice": invoice.pk})
        else:
            mark_void(invoice, gettext_noop("The subscription is billed by Stripe"))
    facts = {"stripe_subscription_id": seen.subscription_id}
    events.record(subscription_event("subscription.handed_over", subscription, None, facts))
    return subscription


def _create(account: Account, plan: Plan, seen: MirroredSubscription) -> Subscription:
    subscription = Subscription.objects.create(
        account=account,
        plan=plan,
        billing_driver=BillingDriver.STRIPE,
        stripe_subscription_id=seen.subscription_id,
    )
    facts = {**plan_facts(plan), "stripe_subscription_id": seen.subscription_id}
    events.record(subscription_event("subscription.created", subscription, None, facts))
    if account.status == AccountStatus.CANCELED:
        transition_account(account, AccountStatus.PENDING_PAYMENT, "account.awaiting_payment", None)
    return subscription


def _create_ended(account: Account, seen: MirroredSubscription) -> Subscription | None:
    plan = _plan_of(seen)
    if plan is None:
        return None
    subscription = Subscription.objects.create(
        account=account,
        plan=plan,
        status=SubscriptionStatus.CANCELED,
        canceled_at=seen.ended_at or clock.now(),
        billing_driver=BillingDriver.STRIPE,
        stripe_subscription_id=seen.subscription_id,
    )
    facts = {**plan_facts(plan), "stripe_subscription_id": seen.subscription_id}
    for kind in ("subscription.created", "subscription.canceled"):
        events.record(subscription_event(kind, subscription, None, facts))
    return subscription


def _plan_of(seen: MirroredSubscription) -> Plan | None:
    return Plan.objects.filter(stripe_price_id=seen.price_id).order_by("pk").first() if seen.price_id else None


def _follow_period(subscription: Subscription, seen: MirroredSubscription) -> None:
    was_ending = subscription.cancel_at_period_end
    subscription.cancel_at_period_end = seen.is_cancel_scheduled
    if seen.period_start and seen.period_end and seen.period_start < seen.period_end:
        subscription.billing_anchor = subscription.billing_anchor or seen.period_start
        subscription.current_period_start, subscription.current_period_end = seen.period_start, seen.period_end
    subscription.save(
        update_fields=["cancel_at_period_end", "billing_anchor", "current_period_start", "current_period_end"]
    )
    if was_ending != subscription.cancel_at_period_end and subscription.current_period_end:
        kind = "subscription.reactivated" if was_ending else "subscription.cancel_scheduled"
        facts = {"at": f"{subscription.current_period_end:%Y-%m-%dT%H:%M:%SZ}"}
        events.record(subscription_event(kind, subscription, None, _facts(subscription) | facts))


def _follow_plan(subscription: Subscription, seen: MirroredSubscription) -> None:
    plan = _plan_of(seen)
    if plan is None:
        logger.warning("no plan has this price of Stripe", extra={"price": seen.price_id})
    elif plan.pk != subscription.plan_id and subscription.status == SubscriptionStatus.PENDING_PAYMENT:
        # The account gets the plan once it is paid.
        subscription.plan = plan
        subscription.save(update_fields=["plan"])
    elif plan.pk != subscription.plan_id:
        change_plan(subscription, plan, plan.terms, None)


def _follow_status(subscription: Subscription, seen: MirroredSubscription) -> None:
    wanted = STATUSES.get(seen.status)
    has_ended = subscription.status == SubscriptionStatus.CANCELED
    runs = wanted in {SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE}
    if wanted == SubscriptionStatus.CANCELED and not has_ended:
        end_subscription(subscription, seen.ended_at or clock.now(), None)
    elif wanted is None or (runs and (has_ended or subscription.current_period_end is None)):
        logger.error(
            "subscription at Stripe cannot be followed",
            extra={"subscription": subscription.pk, "from": subscription.status, "to": seen.status},
        )
    elif runs:
        _apply_running_status(subscription, wanted, is_unpaid=seen.status == UNPAID)


def _apply_running_status(subscription: Subscription, wanted: SubscriptionStatus | None, *, is_unpaid: bool) -> None:
    """Bring a live subscription, and its account with it, to "active" or "past_due"."""
    account = subscription.account
    is_behind = wanted == SubscriptionStatus.PAST_DUE
    # A past-due subscription was active first, even if no message told us.
    if subscription.status == SubscriptionStatus.PENDING_PAYMENT or (
        not is_behind and subscription.status != SubscriptionStatus.ACTIVE
    ):
        terms = subscription.terms or subscription.plan.terms
        transition(subscription, SubscriptionStatus.ACTIVE, SUBSCRIPTION_TRANSITIONS, **terms_columns(terms))
        events.record(subscription_event("subscription.activated", subscription, None, _facts(subscription)))
        activate_account(subscription, subscription.plan, None)
    if is_behind:
        mark_past_due(subscription, _facts(subscription))
    if is_unpaid:
        suspend_unpaid(account, {"reason": gettext_noop("Stripe gave up collecting")})


def _facts(subscription: Subscription) -> dict[str, Any]:
    return {**plan_facts(subscription.plan), "stripe_subscription_id": subscription.stripe_subscription_id}
