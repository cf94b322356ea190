"""Subscriptions: ordering one, starting it when it is paid, changing its plan, ending it."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import (
    ACCOUNT_MOVES,
    SUBSCRIPTION_MOVES,
    Account,
    AccountStatus,
    Plan,
    Subscription,
    SubscriptionStatus,
    SuspendedReason,
    User,
)
from igny8_core.auth.selectors import OverLimit, over_limits
from igny8_core.business.billing.errors import (
    NoSubscription,
    NotADowngrade,
    NotAnUpgrade,
    NothingToReactivate,
    OverLimits,
    PaymentUnderWay,
    SubscriptionAlreadyLive,
    SubscriptionNotPayable,
)
from igny8_core.business.billing.models import Invoice, InvoiceStatus, Payment
from igny8_core.business.billing.pricing import period_end, plan_line_of, sold_plan
from igny8_core.business.billing.selectors import (
    has_payment_under_way,
    open_invoices_of,
    open_plan_changes_of,
    plan_with_slug,
    usual_payment_method_of,
)
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_offers import required_offer
from igny8_core.business.billing.services.plan_change import ChangeKind, quote_change, require_offered
from igny8_core.business.billing.services.saved_method_service import SavedMethodService
from igny8_core.common.db import refusing, service_transaction
from igny8_core.common.states import transition
from igny8_core.events import services as events


class SubscriptionService:
    """The only writer of Subscription, and of an account's status because of money."""

    @staticmethod
    @service_transaction
    def create_subscription(
        account: Account, plan: Plan, payment_method: str, created_by: User | None = None
    ) -> Subscription:
        """Order a paid plan: a subscription waiting for payment, its invoice, and the account's default method.

        A canceled account waits for payment again; a trial goes on meanwhile.
        Raises PlanNotOffered for a free, inactive or non-public plan, PaymentMethodNotAvailable or
        GatewayNotConfigured for the method, SubscriptionAlreadyLive when there is one.
        """
        account = lock_account(account.pk)
        require_offered(plan)
        offer = required_offer(account, payment_method)
        with refusing("igny8_subscriptions_one_live", SubscriptionAlreadyLive()):
            subscription = Subscription.objects.create(account=account, plan=plan)
        SavedMethodService.use(account, payment_method, offer.display_name)
        facts = {"plan": plan.slug, "payment_method": payment_method}
        actor = created_by.pk if created_by else None
        events.record(_event("subscription.created", subscription, actor, facts))
        if account.status == AccountStatus.CANCELED:
            _move_account(account, AccountStatus.PENDING_PAYMENT, "account.awaiting_payment", actor)
        InvoiceService.create_subscription_invoice(subscription, created_by)
        return subscription

    @staticmethod
    @service_transaction
    def activate(subscription: Subscription, payment: Payment) -> Subscription:
        """Do what a paid invoice of the subscription sold: start its first period, or change its plan.

        The caller holds the account's lock. Raises SubscriptionNotPayable when it was canceled meanwhile.
        """
        if subscription.status == SubscriptionStatus.CANCELED:
            raise SubscriptionNotPayable()
        line = plan_line_of(payment.invoice)
        if line and line["kind"] == "plan_change":
            _change_plan(subscription, line, payment.processed_at or timezone.now(), payment.approved_by_id)
            return subscription
        plan, billing_cycle = sold_plan(payment.invoice, subscription)
        if subscription.status != SubscriptionStatus.ACTIVE:
            _start_period(subscription, billing_cycle, payment)
            facts = {"plan": plan}
            events.record(_event("subscription.activated", subscription, payment.approved_by_id, facts))
        _activate_account(subscription, plan, payment.approved_by_id)
        return subscription

    @staticmethod
    @service_transaction
    def upgrade_subscription(
        subscription: Subscription, new_plan: Plan, upgraded_by: User | None = None
    ) -> Invoice | None:
        """Order a larger plan: the invoice for the prorated difference, which takes effect when it is paid.

        None where the difference rounds to nothing: the plan has changed then. An earlier unpaid order of a change is
        voided. Raises PlanNotOffered, SubscriptionNotActive, SubscriptionEnding, SamePlan, NotAnUpgrade, OverLimits,
        PaymentUnderWay.
        """
        subscription = _lock(subscription)
        require_offered(new_plan)
        now = timezone.now()
        change = quote_change(subscription, new_plan, now)
        if change.kind != ChangeKind.UPGRADE:
            raise NotAnUpgrade()
        if change.over_limits:
            raise OverLimits(over_limits_text(change.over_limits))
        _withdraw(open_plan_changes_of(subscription), upgraded_by)
        actor = upgraded_by.pk if upgraded_by else None
        facts = {"from": subscription.plan.slug, "to": new_plan.slug}
        events.record(_event("subscription.upgrade_ordered", subscription, actor, facts))
        if change.total <= 0:
            _change_plan(subscription, change.lines[-1], now, actor)
            return None
        return InvoiceService.create_invoice(subscription.account, change.lines, subscription, created_by=upgraded_by)

    @staticmethod
    @service_transaction
    def downgrade_subscription(
        subscription: Subscription, new_plan: Plan, downgraded_by: User | None = None
    ) -> Subscription:
        """Schedule a smaller plan for the end of the period; what is over its limits is looked at only then.

        Raises PlanNotOffered, SubscriptionNotActive, SubscriptionEnding, SamePlan, NotADowngrade, PaymentUnderWay.
        """
        subscription = _lock(subscription)
        require_offered(new_plan)
        if quote_change(subscription, new_plan, timezone.now()).kind != ChangeKind.DOWNGRADE:
            raise NotADowngrade()
        _withdraw(open_plan_changes_of(subscription), downgraded_by)
        subscription.pending_plan = new_plan
        subscription.save(update_fields=["pending_plan"])
        actor = downgraded_by.pk if downgraded_by else None
        facts = {"from": subscription.plan.slug, "to": new_plan.slug}
        events.record(_event("subscription.downgrade_scheduled", subscription, actor, facts))
        return subscription

    @staticmethod
    @service_transaction
    def cancel_subscription(
        subscription: Subscription, cancel_at_period_end: bool = True, canceled_by: User | None = None
    ) -> Subscription:
        """End a subscription with its period, or at once; one that was never paid or is past due always ends at once.

        What is unpaid of it is voided; time that was paid for is not given back (a refund is an operator's decision).
        Raises NoSubscription where it has ended already, PaymentUnderWay.
        """
        subscription = _lock(subscription)
        if subscription.status == SubscriptionStatus.CANCELED:
            raise NoSubscription()
        actor = canceled_by.pk if canceled_by else None
        now = timezone.now()
        runs_on = subscription.current_period_end is not None and subscription.current_period_end > now
        if cancel_at_period_end and subscription.status == SubscriptionStatus.ACTIVE and runs_on:
            _withdraw(open_plan_changes_of(subscription), canceled_by)
            subscription.cancel_at_period_end, subscription.pending_plan = True, None
            subscription.save(update_fields=["cancel_at_period_end", "pending_plan"])
            facts = {"at": f"{subscription.current_period_end:%Y-%m-%dT%H:%M:%SZ}"}
            events.record(_event("subscription.cancel_scheduled", subscription, actor, facts))
            return subscription
        _withdraw(open_invoices_of(subscription), canceled_by)
        _end(subscription, now, actor)
        return subscription

    @staticmethod
    @service_transaction
    def reactivate_subscription(
        subscription: Subscription, payment_method: str = "", reactivated_by: User | None = None
    ) -> Subscription:
        """Take back a scheduled cancellation or downgrade; after the end, order the same plan anew.

        Returns the subscription that runs on, or the new one, which waits for payment by `payment_method` (empty: the
        account's default). Raises NothingToReactivate, and what create_subscription raises.
        """
        subscription = _lock(subscription)
        account = subscription.account
        if subscription.status == SubscriptionStatus.CANCELED:
            method = payment_method or usual_payment_method_of(account)
            return SubscriptionService.create_subscription(account, subscription.plan, method, reactivated_by)
        if not (subscription.cancel_at_period_end or subscription.pending_plan):
            raise NothingToReactivate()
        subscription.cancel_at_period_end, subscription.pending_plan = False, None
        subscription.save(update_fields=["cancel_at_period_end", "pending_plan"])
        actor = reactivated_by.pk if reactivated_by else None
        events.record(_event("subscription.reactivated", subscription, actor, {"plan": subscription.plan.slug}))
        return subscription

    @staticmethod
    @service_transaction
    def end_period(subscription: Subscription) -> None:
        """Do what was scheduled for the end of a period that is over: end, or move to the smaller plan.

        A downgrade is refused here when the account is over the new limits: the plan stays, and an event says why. An
        unpaid change of plan within the period is void. Anything else is left alone; it may run twice.
        """
        subscription = _lock(subscription)
        now = timezone.now()
        if subscription.status != SubscriptionStatus.ACTIVE or (subscription.current_period_end or now) > now:
            return
        ending = subscription.cancel_at_period_end
        unpaid = open_invoices_of(subscription) if ending else open_plan_changes_of(subscription)
        for invoice in unpaid:
            # One that is being paid stays for the operator, who sees then that there is nothing left to pay for.
            if not has_payment_under_way(invoice):
                InvoiceService.mark_void(invoice, "The period that it was for is over")
        if ending:
            _end(subscription, now, None)
        elif subscription.pending_plan:
            _downgrade(subscription, subscription.pending_plan)

    @staticmethod
    def end_due_periods() -> int:
        """Do end_period for every subscription that has something scheduled; returns how many were looked at."""
        scheduled = Q(cancel_at_period_end=True) | Q(pending_plan__isnull=False)
        changing = Q(
            pk__in=Invoice.objects.filter(
                status=InvoiceStatus.PENDING, line_items__contains=[{"kind": "plan_change"}]
            ).values("subscription_id")
        )
        due = Subscription.objects.filter(
            scheduled | changing, status=SubscriptionStatus.ACTIVE, current_period_end__lte=timezone.now()
        )
        subscriptions = list(due.order_by("pk"))
        for subscription in subscriptions:
            SubscriptionService.end_period(subscription)
        return len(subscriptions)


def _lock(subscription: Subscription) -> Subscription:
    """The subscription as it is under its account's lock, with account and plans."""
    account = lock_account(subscription.account_id)
    locked = Subscription.objects.select_related("plan", "pending_plan").get(account=account, pk=subscription.pk)
    locked.account = account
    return locked


def _withdraw(invoices: list[Invoice], actor: User | None) -> None:
    for invoice in invoices:
        if has_payment_under_way(invoice):
            raise PaymentUnderWay()
        InvoiceService.mark_void(invoice, "The order was withdrawn", actor)


def _start_period(subscription: Subscription, billing_cycle: str, payment: Payment) -> None:
    start = payment.processed_at or timezone.now()
    transition(
        subscription,
        SubscriptionStatus.ACTIVE,
        SUBSCRIPTION_MOVES,
        billing_anchor=start,
        current_period_start=start,
        current_period_end=period_end(start, 1, billing_cycle),
        external_payment_id=payment.manual_reference or str(payment.uuid),
    )


def _change_plan(subscription: Subscription, line: dict[str, Any], now: datetime, actor_id: int | None) -> None:
    """Move a running subscription to the plan that an invoice line sells; another cycle begins a period of its own."""
    previous, plan = subscription.plan, plan_with_slug(line["plan"])
    subscription.plan, subscription.pending_plan = plan, None
    changed = ["plan", "pending_plan"]
    if line["restarts_period"]:
        subscription.billing_anchor = subscription.current_period_start = now
        subscription.current_period_end = period_end(now, 1, line["billing_cycle"])
        changed += ["billing_anchor", "current_period_start", "current_period_end"]
    subscription.save(update_fields=changed)
    facts = {"from": previous.slug, "to": plan.slug}
    events.record(_event("subscription.plan_changed", subscription, actor_id, facts))
    _give_plan(subscription)


def _downgrade(subscription: Subscription, plan: Plan) -> None:
    previous, exceeded = subscription.plan, over_limits(subscription.account, plan)
    subscription.pending_plan = None
    if exceeded:
        subscription.save(update_fields=["pending_plan"])
        facts = {"plan": plan.slug, "reason": over_limits_text(exceeded)}
        events.record(_event("subscription.downgrade_refused", subscription, None, facts))
        return
    subscription.plan = plan
    subscription.save(update_fields=["plan", "pending_plan"])
    facts = {"from": previous.slug, "to": plan.slug}
    events.record(_event("subscription.plan_changed", subscription, None, facts))
    _give_plan(subscription)


def _end(subscription: Subscription, now: datetime, actor_id: int | None) -> None:
    transition(
        subscription,
        SubscriptionStatus.CANCELED,
        SUBSCRIPTION_MOVES,
        canceled_at=now,
        cancel_at_period_end=False,
        pending_plan=None,
    )
    events.record(_event("subscription.canceled", subscription, actor_id, {"plan": subscription.plan.slug}))
    # A trial that takes back its order is a trial still, and what an operator suspended only an operator lifts.
    if subscription.account.status != AccountStatus.TRIAL and not _is_held(subscription.account):
        _move_account(subscription.account, AccountStatus.CANCELED, "account.canceled", actor_id)


def _activate_account(subscription: Subscription, plan: str, actor_id: int | None) -> None:
    account = subscription.account
    if _is_held(account) or account.status == AccountStatus.ACTIVE:
        # The status stays, but what was paid for counts: its limits hold at once, or when the suspension is lifted.
        _give_plan(subscription)
        return
    facts = {"plan": plan}
    _move_account(account, AccountStatus.ACTIVE, "account.activated", actor_id, facts, plan_id=subscription.plan_id)


def _give_plan(subscription: Subscription) -> None:
    account = subscription.account
    if account.plan_id != subscription.plan_id:
        account.plan_id = subscription.plan_id
        account.save(update_fields=["plan"])


def _is_held(account: Account) -> bool:
    # A suspension by an operator is lifted only by an operator (domain.md section 3).
    return account.status == AccountStatus.SUSPENDED and account.suspended_reason == SuspendedReason.OPERATOR


def _move_account(
    account: Account,
    to: AccountStatus,
    event_type: str,
    actor_id: int | None,
    facts: dict[str, str] | None = None,
    **changes: Any,
) -> None:
    before = account.status
    transition(account, to, ACCOUNT_MOVES, suspended_reason="", **changes)
    events.record(events.NewEvent(event_type, account, account.pk, actor_id, {"from": before, **(facts or {})}))


def over_limits_text(exceeded: list[OverLimit]) -> str:
    """A sentence on what an account has more of than a plan allows."""
    uses = " and ".join(f"{limit.used} {limit.limit} where {limit.allowed} are allowed" for limit in exceeded)
    return f"The account has {uses}. Remove some first."


def _event(event_type: str, subscription: Subscription, actor_id: int | None, facts: dict[str, str]) -> events.NewEvent:
    return events.NewEvent(event_type, subscription, subscription.account_id, actor_id, facts)
