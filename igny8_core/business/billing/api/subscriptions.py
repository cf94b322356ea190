"""The subscription of the caller's account: ordering a plan, previewing and making a change, canceling."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.models import Account, Plan, Subscription
from igny8_core.auth.permissions import CanManageBilling, IsMember, account_of, user_of
from igny8_core.business.billing.api.subscription_serializers import (
    AgreedChangeInput,
    CancelInput,
    OrderInput,
    OrderOutput,
    PlanChangeInput,
    QuoteOutput,
    ReactivateInput,
)
from igny8_core.business.billing.errors import (
    BillingBoundReached,
    ChangeBelowZero,
    GatewayNotConfigured,
    NoSubscription,
    NotADowngrade,
    NotAnUpgrade,
    NothingToReactivate,
    OverLimits,
    PaymentMethodNotAvailable,
    PaymentUnderWay,
    PlanNotOffered,
    PriceMoved,
    RenewalPaid,
    SamePlan,
    SubscriptionAlreadyLive,
    SubscriptionBilledByStripe,
    SubscriptionEnding,
    SubscriptionLapsed,
    SubscriptionNotActive,
)
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.offers import usual_instructions_for, usual_payment_method_of
from igny8_core.business.billing.selectors import (
    last_subscription_of,
    live_subscription_of,
)
from igny8_core.business.billing.serializers import SubscriptionOutput
from igny8_core.business.billing.services.payment_states.under_way import ATTEMPT_REFUSALS
from igny8_core.business.billing.services.subscriptions.ending import cancel_subscription, reactivate_subscription
from igny8_core.business.billing.services.subscriptions.ordering import (
    create_subscription,
    downgrade_subscription,
    upgrade_subscription,
)
from igny8_core.business.billing.services.subscriptions.plan_change import Agreed, offered_plan, quote
from igny8_core.business.billing.services.subscriptions.quote_tokens import quote_token, quoted_at
from igny8_core.common import clock
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent
from igny8_core.common.api.openapi import NULLABLE
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import SingletonViewSet
from igny8_core.common.marks import gettext_noop

# Errors of operations that void an unpaid order.
WITHDRAWAL_REFUSALS = (PaymentUnderWay, *ATTEMPT_REFUSALS)
ORDER_REFUSALS = (
    *(PlanNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured, SubscriptionAlreadyLive),
    *WITHDRAWAL_REFUSALS,
)
CHANGE_REFUSALS = (
    *(PlanNotOffered, SamePlan, SubscriptionNotActive, SubscriptionEnding, SubscriptionLapsed, RenewalPaid),
    *(ChangeBelowZero, SubscriptionBilledByStripe),
)
PLAN_ORDERED = gettext_noop("Plan ordered. It starts when the invoice is paid.")


class SubscriptionViewSet(SingletonViewSet):
    """The account's subscription."""

    tag = "billing"
    permission_classes = (IsMember,)

    @extend_schema(
        operation_id="retrieve_subscription",
        responses=SubscriptionOutput,
        extensions={NULLABLE: True},
    )
    def retrieve(self, request: Request) -> Response:
        """The account's subscription, with scheduled changes; null if there is none."""
        subscription = live_subscription_of(account_of(request))
        return success(SubscriptionOutput(subscription).data if subscription else None)

    @extend_schema(
        operation_id="create_subscription",
        request=OrderInput,
        responses={201: OrderOutput},
    )
    @action(detail=False, methods=["post"], url_path="create", permission_classes=(CanManageBilling,))
    @refuses(*ORDER_REFUSALS)
    @idempotent()
    def order(self, request: Request) -> Response:
        """Order a plan. It starts when the invoice in the answer is paid. A subscription whose period is over ends."""
        order, account = self.validated(OrderInput), account_of(request)
        plan = offered_plan(order["plan_slug"])
        method = order["payment_method"] or usual_payment_method_of(account, plan.price, plan.currency)
        subscription = create_subscription(account, plan, method, user_of(request))
        return success(ordered(subscription, subscription.invoices.get()), PLAN_ORDERED, status=201)

    @extend_schema(operation_id="preview_plan", request=PlanChangeInput, responses=QuoteOutput)
    @action(detail=False, methods=["post"])
    @refuses(*CHANGE_REFUSALS)
    def preview(self, request: Request) -> Response:
        """What it would cost now to order a plan or change to it, line by line, and when it would start."""
        plan, account, now = (
            offered_plan(self.validated(PlanChangeInput)["plan_slug"]),
            account_of(request),
            clock.now(),
        )
        quoted = replace(quote(account, plan, now), quote_token=quote_token(account, plan, now))
        return success(QuoteOutput(quoted).data)

    @extend_schema(
        operation_id="upgrade_subscription",
        request=AgreedChangeInput,
        responses=OrderOutput,
    )
    @action(detail=False, methods=["post"], permission_classes=(CanManageBilling,))
    @refuses(
        *CHANGE_REFUSALS,
        PriceMoved,
        NoSubscription,
        NotAnUpgrade,
        OverLimits,
        BillingBoundReached,
        *WITHDRAWAL_REFUSALS,
    )
    @idempotent()
    def upgrade(self, request: Request) -> Response:
        """Change to a larger plan. It starts when the invoice for the prorated difference is paid.

        With the amounts that a preview showed, a change that costs more by now is refused with both amounts.
        """
        change = self.validated(AgreedChangeInput)
        plan = offered_plan(change["plan_slug"])
        subscription = live_subscription(account_of(request))
        invoice = upgrade_subscription(subscription, plan, user_of(request), agreed_in(change, subscription, plan))
        message = (
            _("The larger plan starts when the invoice is paid.") if invoice else _("The larger plan runs from now on.")
        )
        return success(ordered(live_subscription(account_of(request)), invoice), message)

    @extend_schema(
        operation_id="downgrade_subscription",
        request=AgreedChangeInput,
        responses=SubscriptionOutput,
    )
    @action(detail=False, methods=["post"], permission_classes=(CanManageBilling,))
    @refuses(*CHANGE_REFUSALS, PriceMoved, NoSubscription, NotADowngrade, *WITHDRAWAL_REFUSALS)
    @idempotent()
    def downgrade(self, request: Request) -> Response:
        """Change to a smaller plan at the end of the period. The answer lists its limits that you exceed today.

        With the amounts that a preview showed, a plan that costs more by now is refused with both amounts.
        """
        change = self.validated(AgreedChangeInput)
        plan = offered_plan(change["plan_slug"])
        subscription = live_subscription(account_of(request))
        agreed = agreed_in(change, subscription, plan)
        scheduled = downgrade_subscription(subscription, plan, user_of(request), agreed)
        return success(SubscriptionOutput(scheduled).data, _("The smaller plan starts with the next period."))

    @extend_schema(
        operation_id="cancel_subscription",
        request=CancelInput,
        responses=SubscriptionOutput,
    )
    @action(detail=False, methods=["post"], permission_classes=(CanManageBilling,))
    @refuses(NoSubscription, SubscriptionBilledByStripe, *WITHDRAWAL_REFUSALS)
    @idempotent()
    def cancel(self, request: Request) -> Response:
        """Cancel the subscription, at the end of its period or at once."""
        at_period_end = self.validated(CancelInput)["at_period_end"]
        subscription = live_subscription(account_of(request))
        canceled = cancel_subscription(subscription, at_period_end, user_of(request))
        runs_on = canceled.cancel_at_period_end
        message = _("The subscription ends with its period.") if runs_on else _("The subscription has ended.")
        return success(SubscriptionOutput(canceled).data, message)

    @extend_schema(
        operation_id="reactivate_subscription",
        request=ReactivateInput,
        responses=OrderOutput,
    )
    @action(detail=False, methods=["post"], permission_classes=(CanManageBilling,))
    @refuses(*ORDER_REFUSALS, NoSubscription, SubscriptionBilledByStripe, NothingToReactivate)
    @idempotent()
    def reactivate(self, request: Request) -> Response:
        """Undo a scheduled cancellation or downgrade. If the paid period is over, order the same plan again."""
        account, method = account_of(request), self.validated(ReactivateInput)["payment_method"]
        last = last_subscription_of(account)
        if last is None:
            raise NoSubscription()
        subscription = reactivate_subscription(last, method, user_of(request))
        if subscription.pk == last.pk:
            return success(ordered(subscription, None), _("The subscription runs on."))
        return success(ordered(subscription, subscription.invoices.get()), PLAN_ORDERED)


def ordered(subscription: Subscription, invoice: Invoice | None) -> object:
    """The data of OrderOutput: the subscription, its invoice, and how to pay it."""
    if invoice:
        # Set here to save a query, which would run under the account's lock for a request with an Idempotency-Key.
        invoice.account = subscription.account
    instructions = usual_instructions_for(invoice) if invoice else None
    answer = {"subscription": subscription, "invoice": invoice, "payment_instructions": instructions}
    return OrderOutput(answer).data


def agreed_in(change: dict[str, Any], subscription: Subscription, plan: Plan) -> Agreed:
    """The amounts that the customer was shown before they asked for the change."""
    moment = quoted_at(change["quote_token"], subscription.account, plan)
    return Agreed(change.get("expected_total"), change.get("expected_renewal_amount"), moment)


def live_subscription(account: Account) -> Subscription:
    """The account's live subscription. Raises NoSubscription."""
    subscription = live_subscription_of(account)
    if subscription is None:
        raise NoSubscription()
    return subscription
