"""Subscriptions: ordering one and starting it when it is paid."""

from django.utils import timezone

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import (
    ACCOUNT_MOVES,
    SUBSCRIPTION_MOVES,
    Account,
    AccountStatus,
    PaymentMethodType,
    Plan,
    Subscription,
    SubscriptionStatus,
    SuspendedReason,
    User,
)
from igny8_core.business.billing.errors import (
    GatewayNotConfigured,
    PaymentMethodNotAvailable,
    PlanNotOffered,
    SubscriptionAlreadyLive,
    SubscriptionNotPayable,
)
from igny8_core.business.billing.models import AccountPaymentMethod, Payment
from igny8_core.business.billing.pricing import period_end, sold_plan
from igny8_core.business.billing.selectors import is_available, offered_payment_method
from igny8_core.business.billing.services.invoice_service import InvoiceService
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

        Raises PlanNotOffered for a free, inactive or non-public plan, PaymentMethodNotAvailable or
        GatewayNotConfigured for the method, SubscriptionAlreadyLive when there is one.
        """
        account = lock_account(account.pk)
        if plan.is_free or not (plan.is_active and plan.is_public):
            raise PlanNotOffered()
        display_name = _offer(account, payment_method)
        with refusing("igny8_subscriptions_one_live", SubscriptionAlreadyLive()):
            subscription = Subscription.objects.create(account=account, plan=plan)
        _make_default(account, payment_method, display_name)
        facts = {"plan": plan.slug, "payment_method": payment_method}
        events.record(_event("subscription.created", subscription, created_by.pk if created_by else None, facts))
        InvoiceService.create_subscription_invoice(subscription, created_by)
        return subscription

    @staticmethod
    @service_transaction
    def activate(subscription: Subscription, payment: Payment) -> Subscription:
        """Start the subscription's first period because its invoice was paid, and the account with it.

        The caller holds the account's lock. Raises SubscriptionNotPayable when it was canceled meanwhile.
        """
        if subscription.status == SubscriptionStatus.CANCELED:
            raise SubscriptionNotPayable()
        plan, billing_cycle = sold_plan(payment.invoice, subscription)
        if subscription.status != SubscriptionStatus.ACTIVE:
            _start_period(subscription, billing_cycle, payment)
            facts = {"plan": plan}
            events.record(_event("subscription.activated", subscription, payment.approved_by_id, facts))
        _activate_account(subscription, plan, payment.approved_by_id)
        return subscription


def _offer(account: Account, payment_method: str) -> str:
    offer = offered_payment_method(account.billing_country, payment_method)
    if offer is None:
        raise PaymentMethodNotAvailable(errors={"payment_method": [PaymentMethodNotAvailable.text]})
    if not is_available(payment_method):
        raise GatewayNotConfigured(retry_after=3600)
    return offer.display_name


def _make_default(account: Account, payment_method: str, display_name: str) -> None:
    AccountPaymentMethod.objects.filter(account=account, is_default=True).update(is_default=False)
    AccountPaymentMethod.objects.create(
        account=account, type=payment_method, display_name=display_name, is_default=True
    )
    account.payment_method = PaymentMethodType(payment_method)
    account.save(update_fields=["payment_method"])


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


def _activate_account(subscription: Subscription, plan: str, actor_id: int | None) -> None:
    account, before = subscription.account, subscription.account.status
    # A suspension by an operator is lifted only by an operator (domain.md section 3).
    held = before == AccountStatus.SUSPENDED and account.suspended_reason == SuspendedReason.OPERATOR
    if held or before == AccountStatus.ACTIVE:
        # The status stays, but what was paid for counts: its limits hold at once, or when the suspension is lifted.
        if account.plan_id != subscription.plan_id:
            account.plan_id = subscription.plan_id
            account.save(update_fields=["plan"])
        return
    changes = {"plan_id": subscription.plan_id, "suspended_reason": ""}
    transition(account, AccountStatus.ACTIVE, ACCOUNT_MOVES, **changes)
    facts = {"from": before, "plan": plan}
    events.record(events.NewEvent("account.activated", account, account.pk, actor_id, facts))


def _event(event_type: str, subscription: Subscription, actor_id: int | None, facts: dict[str, str]) -> events.NewEvent:
    return events.NewEvent(event_type, subscription, subscription.account_id, actor_id, facts)
