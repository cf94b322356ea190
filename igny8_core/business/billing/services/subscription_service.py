"""Subscriptions: ordering one, starting it when it is paid, changing its plan, ending it."""

from contextlib import suppress
from datetime import datetime

from django.db.models import Q

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import (
    SUBSCRIPTION_MOVES,
    Account,
    AccountStatus,
    BillingDriver,
    Plan,
    Subscription,
    SubscriptionStatus,
    Terms,
    User,
    terms_columns,
)
from igny8_core.auth.selectors import over_limits
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
from igny8_core.business.billing.models import Invoice, InvoiceLine, InvoiceStatus, LineKind, Payment
from igny8_core.business.billing.offers import usual_payment_method_of
from igny8_core.business.billing.pricing import period_end, plan_line_of, sold_terms
from igny8_core.business.billing.selectors import (
    CHANGES_PLAN,
    has_payment_under_way,
    live_subscription_of,
    open_invoices_of,
    open_orders_of,
    open_plan_changes_of,
)
from igny8_core.business.billing.services.invoice_lines import unsaved_lines
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.open_attempts import (
    close_what_is_open,
    payment_being_decided,
    why_undecided,
)
from igny8_core.business.billing.services.payment_offers import required_offer
from igny8_core.business.billing.services.plan_change import (
    ChangeKind,
    has_lapsed,
    over_limits_text,
    quote_change,
    require_current_price,
    require_offered,
)
from igny8_core.business.billing.services.saved_method_service import SavedMethodService
from igny8_core.business.billing.services.stripe_subscriptions import sync_subscription
from igny8_core.business.billing.services.subscription_moves import (
    activate_account,
    change_plan,
    end,
    is_canceled_with,
    limit_facts,
    move_account,
    plan_facts,
    require_billed_here,
    subscription_event,
)
from igny8_core.common import clock
from igny8_core.common.db import refusing, service_transaction
from igny8_core.common.errors import DomainError
from igny8_core.common.states import transition
from igny8_core.events import services as events


class SubscriptionService:
    """What customers, operators and our clock do to subscriptions; those that Stripe bills follow Stripe only.

    What withdraws an unpaid order closes the attempts to pay it that are open, and raises InvoicePaidMeanwhile,
    PaymentBeingChecked or AttemptNotClosed where one was paid, may be, or cannot be closed.

    Here, in subscription_moves and in stripe_subscriptions a Subscription is written, and an account's status because
    of money; nowhere else.
    """

    @staticmethod
    @service_transaction
    def create_subscription(
        account: Account, plan: Plan, payment_method: str, created_by: User | None = None
    ) -> Subscription:
        """Order a paid plan: a subscription waiting for payment, its invoice, and the account's default method.

        A canceled account waits for payment again; a trial goes on meanwhile. A subscription whose paid period is over
        ends with the new order.
        Raises PlanNotOffered for a free, inactive or non-public plan, PaymentMethodNotAvailable or
        GatewayNotConfigured for the method, SubscriptionAlreadyLive when there is one, PaymentUnderWay where a payment
        for one that is over is decided on.
        """
        account = lock_account(account.pk)
        require_offered(plan)
        offer = required_offer(account, payment_method, (plan.price, plan.currency))
        _end_lapsed(account, created_by)
        with refusing("igny8_subscriptions_one_live", SubscriptionAlreadyLive()):
            subscription = Subscription.objects.create(account=account, plan=plan)
        SavedMethodService.use(account, payment_method, offer.display_name)
        facts = {**plan_facts(plan), "payment_method": payment_method}
        events.record(subscription_event("subscription.created", subscription, created_by, facts))
        if account.status == AccountStatus.CANCELED:
            move_account(account, AccountStatus.PENDING_PAYMENT, "account.awaiting_payment", created_by)
        InvoiceService.create_subscription_invoice(subscription, created_by)
        return subscription

    @staticmethod
    @service_transaction
    def activate(subscription: Subscription, payment: Payment) -> Subscription:
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
            _change_plan(subscription, plan, terms, line, now, actor)
            return subscription
        if subscription.status != SubscriptionStatus.ACTIVE:
            plan, terms = _sold(subscription, line, payment.currency)
            _start_period(subscription, plan, terms, payment)
            events.record(subscription_event("subscription.activated", subscription, actor, plan_facts(plan)))
        activate_account(subscription, subscription.plan, actor)
        return subscription

    @staticmethod
    @service_transaction
    def upgrade_subscription(
        subscription: Subscription, new_plan: Plan, upgraded_by: User | None = None
    ) -> Invoice | None:
        """Order a larger plan: the invoice for the prorated difference, which takes effect when it is paid.

        None where the difference rounds to nothing: the plan has changed then. An earlier unpaid order of a change is
        voided. Raises PlanNotOffered, SubscriptionBilledByStripe, SubscriptionNotActive, SubscriptionEnding,
        SubscriptionLapsed, SamePlan, ChangeBelowZero, NotAnUpgrade, OverLimits, PaymentUnderWay.
        """
        subscription = _lock(subscription)
        require_offered(new_plan)
        now = clock.now()
        change = quote_change(subscription, new_plan, now)
        if change.kind != ChangeKind.UPGRADE:
            raise NotAnUpgrade()
        if change.over_limits:
            raise OverLimits(over_limits_text(change.over_limits))
        _withdraw(open_plan_changes_of(subscription), upgraded_by)
        facts = plan_facts(subscription.plan, "from") | plan_facts(new_plan, "to")
        events.record(subscription_event("subscription.upgrade_ordered", subscription, upgraded_by, facts))
        if change.total == 0:
            line = unsaved_lines(subscription.account, change.lines)[-1]
            _change_plan(subscription, new_plan, new_plan.terms, line, now, upgraded_by)
            return None
        return InvoiceService.create_invoice(
            subscription.account, change.lines, subscription, currency=change.currency, created_by=upgraded_by
        )

    @staticmethod
    @service_transaction
    def downgrade_subscription(
        subscription: Subscription, new_plan: Plan, downgraded_by: User | None = None
    ) -> Subscription:
        """Schedule a smaller plan for the end of the period; what is over its limits is looked at only then.

        Raises PlanNotOffered, SubscriptionBilledByStripe, SubscriptionNotActive, SubscriptionEnding,
        SubscriptionLapsed, SamePlan, NotADowngrade, PaymentUnderWay.
        """
        subscription = _lock(subscription)
        require_offered(new_plan)
        if quote_change(subscription, new_plan, clock.now()).kind != ChangeKind.DOWNGRADE:
            raise NotADowngrade()
        _withdraw(open_plan_changes_of(subscription), downgraded_by)
        subscription.pending_plan = new_plan
        subscription.save(update_fields=["pending_plan"])
        facts = plan_facts(subscription.plan, "from") | plan_facts(new_plan, "to") | limit_facts(new_plan.terms)
        events.record(subscription_event("subscription.downgrade_scheduled", subscription, downgraded_by, facts))
        return subscription

    @staticmethod
    @service_transaction
    def cancel_subscription(
        subscription: Subscription, cancel_at_period_end: bool = True, canceled_by: User | None = None
    ) -> Subscription:
        """End a subscription with its period, or at once; one that was never paid or is past due always ends at once.

        What is unpaid of it is voided, at once also credit packages, which a canceled account could not use; time that
        was paid for is not given back (a refund is an operator's decision).
        Raises NoSubscription where it has ended already, SubscriptionBilledByStripe, PaymentUnderWay.
        """
        subscription = _lock(subscription)
        if subscription.status == SubscriptionStatus.CANCELED:
            raise NoSubscription()
        require_billed_here(subscription)
        now = clock.now()
        runs_on = subscription.current_period_end is not None and subscription.current_period_end > now
        if cancel_at_period_end and subscription.status == SubscriptionStatus.ACTIVE and runs_on:
            _withdraw(open_plan_changes_of(subscription), canceled_by)
            subscription.cancel_at_period_end, subscription.pending_plan = True, None
            subscription.save(update_fields=["cancel_at_period_end", "pending_plan"])
            facts = plan_facts(subscription.plan) | {"at": f"{subscription.current_period_end:%Y-%m-%dT%H:%M:%SZ}"}
            events.record(subscription_event("subscription.cancel_scheduled", subscription, canceled_by, facts))
            return subscription
        _withdraw(_void_with(subscription), canceled_by)
        end(subscription, now, canceled_by)
        return subscription

    @staticmethod
    @service_transaction
    def reactivate_subscription(
        subscription: Subscription, payment_method: str = "", reactivated_by: User | None = None
    ) -> Subscription:
        """Take back a scheduled cancellation or downgrade; after the end of what was paid, order the same plan anew.

        Returns the subscription that runs on, or the new one, which waits for payment by `payment_method` (empty: the
        account's default). Raises SubscriptionBilledByStripe, NothingToReactivate, and what create_subscription raises.
        """
        subscription = _lock(subscription)
        require_billed_here(subscription)
        account = subscription.account
        if subscription.status == SubscriptionStatus.CANCELED or has_lapsed(subscription, clock.now()):
            plan = subscription.plan
            method = payment_method or usual_payment_method_of(account, plan.price, plan.currency)
            return SubscriptionService.create_subscription(account, plan, method, reactivated_by)
        if not (subscription.cancel_at_period_end or subscription.pending_plan):
            raise NothingToReactivate()
        subscription.cancel_at_period_end, subscription.pending_plan = False, None
        subscription.save(update_fields=["cancel_at_period_end", "pending_plan"])
        facts = plan_facts(subscription.plan)
        events.record(subscription_event("subscription.reactivated", subscription, reactivated_by, facts))
        return subscription

    @staticmethod
    @service_transaction
    def end_period(subscription: Subscription) -> None:
        """Do what was scheduled for the end of a period that is over: end, or move to the smaller plan.

        A downgrade is refused here when the account is over the new limits: the plan stays, and an event says why. An
        unpaid change of plan within the period is void. Anything else is left alone; it may run twice.
        """
        subscription = _lock(subscription)
        now = clock.now()
        is_ours = subscription.billing_driver == BillingDriver.LOCAL
        is_over = (subscription.current_period_end or now) <= now
        if not (is_ours and is_over) or subscription.status != SubscriptionStatus.ACTIVE:
            return
        ending = subscription.cancel_at_period_end
        for invoice in _void_after_its_period(subscription):
            # One that is being paid stays for the operator, who sees then that there is nothing left to pay for.
            if not has_payment_under_way(invoice):
                InvoiceService.mark_void(invoice, "The period that it was for is over")
        if ending:
            end(subscription, now, None)
        elif subscription.pending_plan:
            _downgrade(subscription, subscription.pending_plan)

    @staticmethod
    def end_due_periods() -> int:
        """Do end_period for every subscription that has something scheduled; returns how many were looked at.

        RuntimeError in a transaction, where an attempt to pay what is void then is open.
        """
        scheduled = Q(cancel_at_period_end=True) | Q(pending_plan__isnull=False)
        changing = Q(
            pk__in=Invoice.objects.filter(CHANGES_PLAN, status=InvoiceStatus.PENDING).values("subscription_id")
        )
        due = Subscription.objects.filter(
            scheduled | changing,
            status=SubscriptionStatus.ACTIVE,
            billing_driver=BillingDriver.LOCAL,
            current_period_end__lte=clock.now(),
        )
        subscriptions = list(due.order_by("pk"))
        for subscription in subscriptions:
            _close_what_is_open(subscription)
            SubscriptionService.end_period(subscription)
        return len(subscriptions)

    @staticmethod
    def sync_from_stripe(stripe_subscription_id: str) -> Subscription | None:
        """Bring a subscription that Stripe bills to where Stripe is with it; None where it belongs to no account here.

        Touches no money and no credits, and may run at any time. Raises GatewayNotConfigured, GatewayUnavailable,
        GatewayMisconfigured. RuntimeError in a transaction.
        """
        return sync_subscription(stripe_subscription_id)


def _lock(subscription: Subscription) -> Subscription:
    """The subscription as it is under its account's lock, with account and plans."""
    account = lock_account(subscription.account_id)
    locked = Subscription.objects.select_related("plan", "pending_plan").get(account=account, pk=subscription.pk)
    locked.account = account
    return locked


def _withdraw(invoices: list[Invoice], actor: User | None) -> None:
    payment = payment_being_decided(*invoices) if invoices else None
    if payment:
        raise PaymentUnderWay(f"{why_undecided(payment)} Wait until that is decided.")
    for invoice in invoices:
        InvoiceService.mark_void(invoice, "The order was withdrawn", actor)


def _void_after_its_period(subscription: Subscription) -> list[Invoice]:
    """What is unpaid and cannot be bought any more once the subscription's period is over."""
    ending = subscription.cancel_at_period_end
    return _void_with(subscription) if ending else open_plan_changes_of(subscription)


def _void_with(subscription: Subscription) -> list[Invoice]:
    """What is unpaid and cannot be bought any more once the subscription has ended."""
    return open_orders_of(subscription) if is_canceled_with(subscription) else open_invoices_of(subscription)


def _end_lapsed(account: Account, actor: User | None) -> None:
    """End the account's subscription whose paid period is over, so that another one can be ordered."""
    if account.status in {AccountStatus.TRIAL, AccountStatus.PENDING_PAYMENT, AccountStatus.CANCELED}:
        return
    subscription, now = live_subscription_of(account), clock.now()
    if subscription and has_lapsed(subscription, now):
        subscription.account = account
        # Packages stay: the account is not canceled by this, it waits for its next payment.
        _withdraw(open_invoices_of(subscription), actor)
        end(subscription, now, actor)


def _close_what_is_open(subscription: Subscription) -> None:
    """Close attempts to pay what is void in a moment; one that cannot be closed now does not hold up the end."""
    for invoice in _void_after_its_period(subscription):
        with suppress(DomainError):
            close_what_is_open(invoice)


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


def _change_plan(
    subscription: Subscription, plan: Plan, terms: Terms, line: InvoiceLine, now: datetime, actor: events.Actor
) -> None:
    """Move a running subscription to the plan that an invoice line sells; another cycle begins a period of its own."""
    if line.restarts_period:
        end_of_first = period_end(now, 1, terms.billing_cycle)
        period = {"billing_anchor": now, "current_period_start": now, "current_period_end": end_of_first}
        change_plan(subscription, plan, terms, actor, **period)
    else:
        change_plan(subscription, plan, terms, actor)


def _downgrade(subscription: Subscription, plan: Plan) -> None:
    exceeded = over_limits(subscription.account, plan)
    if exceeded:
        subscription.pending_plan = None
        subscription.save(update_fields=["pending_plan"])
        facts = {**plan_facts(plan), "reason": over_limits_text(exceeded)}
        events.record(subscription_event("subscription.downgrade_refused", subscription, None, facts))
        return
    change_plan(subscription, plan, plan.terms, None)
