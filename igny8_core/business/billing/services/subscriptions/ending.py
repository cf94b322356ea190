"""Cancel and reactivate subscriptions, and do what is scheduled for the end of a paid period."""

from contextlib import suppress
from dataclasses import asdict
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from igny8_core.auth.models import (
    BillingDriver,
    Plan,
    Subscription,
    SubscriptionStatus,
    User,
)
from igny8_core.auth.selectors import over_limits
from igny8_core.business.billing.errors import (
    NoSubscription,
    NothingToReactivate,
)
from igny8_core.business.billing.models import Invoice, InvoiceStatus, Renewal
from igny8_core.business.billing.offers import usual_payment_method_of
from igny8_core.business.billing.selectors import (
    CHANGES_PLAN,
    has_payment_under_way,
    open_invoices_of,
    open_orders_of,
    open_plan_changes_of,
    undecided_renewal_of,
)
from igny8_core.business.billing.services.invoices.lifecycle import (
    mark_void,
)
from igny8_core.business.billing.services.payment_states.under_way import (
    close_open_attempts,
    undecided_payment_of,
    why_undecided,
)
from igny8_core.business.billing.services.subscriptions.ordering import (
    create_subscription,
    locked_subscription,
)
from igny8_core.business.billing.services.subscriptions.plan_change import (
    has_lapsed,
    over_limits_text,
)
from igny8_core.business.billing.services.subscriptions.transitions import (
    change_plan,
    end_subscription,
    is_canceled_with,
    plan_facts,
    require_billed_here,
    subscription_event,
)
from igny8_core.business.billing.services.subscriptions.withdrawing import withdraw_orders, withdraw_renewal
from igny8_core.common import clock
from igny8_core.common.batches import others_go_on
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop
from igny8_core.events import services as events

BATCH = 500
# In the event of a subscription that ended because nobody paid.
NOT_PAID = "not_paid"


@service_transaction
def cancel_subscription(
    subscription: Subscription, cancel_at_period_end: bool = True, canceled_by: User | None = None
) -> Subscription:
    """End a subscription at the end of its period, or at once. An unpaid or past-due one always ends at once.

    If the next period is paid already, it ends with that one.
    Its unpaid invoices are voided. If it ends at once, unpaid credit packages are voided too, because a canceled
    account could not use them. Paid time is not refunded automatically; an operator decides about refunds.
    Raises NoSubscription if it has already ended, SubscriptionBilledByStripe, PaymentUnderWay, and if an open attempt
    was paid, may be paid or cannot be closed: InvoicePaidMeanwhile, PaymentBeingChecked, AttemptNotClosed.
    """
    subscription = locked_subscription(subscription)
    if subscription.status == SubscriptionStatus.CANCELED:
        raise NoSubscription()
    require_billed_here(subscription)
    now = clock.now()
    if cancel_at_period_end and _runs_on(subscription, now):
        withdraw_orders(open_plan_changes_of(subscription), canceled_by)
        withdraw_renewal(subscription, gettext_noop("The subscription ends with its period"), canceled_by)
        subscription.cancel_at_period_end, subscription.pending_plan = True, None
        subscription.save(update_fields=["cancel_at_period_end", "pending_plan"])
        facts = plan_facts(subscription.plan) | {"at": f"{_paid_until(subscription):%Y-%m-%dT%H:%M:%SZ}"}
        events.record(subscription_event("subscription.cancel_scheduled", subscription, canceled_by, facts))
        return subscription
    withdraw_orders(_void_with(subscription), canceled_by)
    end_subscription(subscription, now, canceled_by)
    return subscription


def why_not_canceled(subscription: Subscription) -> str:
    """Why the subscription cannot be canceled now, as a sentence; empty if nobody has to decide on a payment before."""
    if _runs_on(subscription, clock.now()):
        renewal = undecided_renewal_of(subscription)
        voided = [*open_plan_changes_of(subscription), *([renewal.invoice] if renewal and not renewal.is_paid else [])]
    else:
        voided = _void_with(subscription)
    payment = undecided_payment_of(*voided) if voided else None
    if payment is None:
        return ""
    said = _("%(why_undecided)s The plan can be canceled once that is decided.")
    return said % {"why_undecided": why_undecided(payment)}


def _runs_on(subscription: Subscription, now: datetime) -> bool:
    """Whether the subscription is active in a period that is paid and not over."""
    end = subscription.current_period_end
    return subscription.status == SubscriptionStatus.ACTIVE and end is not None and end > now


@service_transaction
def end_unpaid(subscription: Subscription, reason: str) -> Subscription:
    """End a subscription that was not paid in time. `reason` stands on its unpaid invoices, which are voided.

    Raises as cancel_subscription.
    """
    subscription = locked_subscription(subscription)
    if subscription.status == SubscriptionStatus.CANCELED:
        raise NoSubscription()
    require_billed_here(subscription)
    withdraw_orders(_void_with(subscription), None, reason)
    end_subscription(subscription, clock.now(), None, NOT_PAID)
    return subscription


@service_transaction
def reactivate_subscription(
    subscription: Subscription, payment_method: str = "", reactivated_by: User | None = None
) -> Subscription:
    """Take back a scheduled cancellation or downgrade. If the paid time is over, order the same plan again.

    Returns the continued subscription, or the new one, which waits for payment by `payment_method` (empty: the
    account's default). Raises SubscriptionBilledByStripe, NothingToReactivate, and what create_subscription raises.
    """
    subscription = locked_subscription(subscription)
    require_billed_here(subscription)
    account = subscription.account
    if subscription.status == SubscriptionStatus.CANCELED or has_lapsed(subscription, clock.now()):
        plan = subscription.plan
        method = payment_method or usual_payment_method_of(account, plan.price, plan.currency)
        return create_subscription(account, plan, method, reactivated_by)
    if not (subscription.cancel_at_period_end or subscription.pending_plan):
        raise NothingToReactivate()
    if subscription.pending_plan:
        withdraw_renewal(subscription, gettext_noop("The plan stays as it is"), reactivated_by)
    subscription.cancel_at_period_end, subscription.pending_plan = False, None
    subscription.save(update_fields=["cancel_at_period_end", "pending_plan"])
    facts = plan_facts(subscription.plan)
    events.record(subscription_event("subscription.reactivated", subscription, reactivated_by, facts))
    return subscription


@service_transaction
def end_period(subscription: Subscription) -> None:
    """If the period is over, do what was scheduled for its end: end the subscription, or change to the smaller plan.

    A downgrade is refused if the account is over the new limits: the plan stays, and an event says why. An unpaid
    change of plan for the ended period is voided. Does nothing if the next period is paid, which begins as it was sold.
    Safe to repeat.
    """
    subscription = locked_subscription(subscription)
    now = clock.now()
    is_ours = subscription.billing_driver == BillingDriver.LOCAL
    is_over = (subscription.current_period_end or now) <= now
    if not (is_ours and is_over) or subscription.status != SubscriptionStatus.ACTIVE:
        return
    renewal = undecided_renewal_of(subscription)
    if renewal and renewal.is_paid:
        return
    ending = subscription.cancel_at_period_end
    for invoice in _void_after_its_period(subscription):
        # If it is being paid, the operator who decides on the payment will see that its period is over.
        if not has_payment_under_way(invoice):
            mark_void(invoice, gettext_noop("The period of this change of plan is over"))
    if ending:
        end_subscription(subscription, now, None)
    elif subscription.pending_plan:
        _downgrade(subscription, subscription.pending_plan, renewal)


def end_due_periods() -> int:
    """Run end_period for every subscription whose period is over with something scheduled; returns how many.

    RuntimeError in a transaction if an attempt to pay a voided invoice is open.
    """
    scheduled = Q(cancel_at_period_end=True) | Q(pending_plan__isnull=False)
    changing = Q(pk__in=Invoice.objects.filter(CHANGES_PLAN, status=InvoiceStatus.PENDING).values("subscription_id"))
    due = Subscription.objects.filter(
        scheduled | changing,
        status=SubscriptionStatus.ACTIVE,
        billing_driver=BillingDriver.LOCAL,
        current_period_end__lte=clock.now(),
    ).order_by("pk")
    done, last = 0, 0
    while batch := list(due.filter(pk__gt=last)[:BATCH]):
        for subscription in batch:
            with others_go_on("the end of a period", subscription=subscription.pk):
                _close_what_is_open(subscription)
                end_period(subscription)
                done += 1
        last = batch[-1].pk
    return done


def _void_after_its_period(subscription: Subscription) -> list[Invoice]:
    """The unpaid invoices to void when the subscription's period is over."""
    ending = subscription.cancel_at_period_end
    return _void_with(subscription) if ending else open_plan_changes_of(subscription)


def _void_with(subscription: Subscription) -> list[Invoice]:
    """The unpaid invoices to void when the subscription has ended."""
    return open_orders_of(subscription) if is_canceled_with(subscription) else open_invoices_of(subscription)


def _close_what_is_open(subscription: Subscription) -> None:
    """Close open attempts to pay the invoices that will be voided. If one cannot be closed, the period ends anyway."""
    for invoice in _void_after_its_period(subscription):
        with suppress(DomainError):
            close_open_attempts(invoice)


def _downgrade(subscription: Subscription, plan: Plan, renewal: Renewal | None) -> None:
    exceeded = over_limits(subscription.account, plan)
    if not exceeded:
        change_plan(subscription, plan, plan.terms, None)
        return
    if renewal and has_payment_under_way(renewal.invoice):
        # It is decided first: if it is paid, the plan begins as it was sold.
        return
    withdraw_renewal(subscription, gettext_noop("The smaller plan could not start"))
    subscription.pending_plan = None
    subscription.save(update_fields=["pending_plan"])
    limits = [asdict(limit) for limit in exceeded]
    facts = {**plan_facts(plan), "reason": over_limits_text(exceeded), "over_limits": limits}
    events.record(subscription_event("subscription.downgrade_refused", subscription, None, facts))


def _paid_until(subscription: Subscription) -> datetime | None:
    renewal = undecided_renewal_of(subscription)
    return renewal.period_end if renewal and renewal.is_paid else subscription.current_period_end
