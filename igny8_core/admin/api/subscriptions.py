"""All subscriptions, for operators: reading, ending, and changing the plan."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.admin.api.subscription_serializers import OperatorSubscriptionOutput, PlanChangeOutput
from igny8_core.auth.errors import OwnAccount
from igny8_core.auth.models import Subscription, SubscriptionStatus
from igny8_core.auth.permissions import IsOperator, user_of
from igny8_core.business.billing.errors import (
    BillingBoundReached,
    ChangeBelowZero,
    NoSubscription,
    OverLimits,
    PaymentUnderWay,
    PlanNotOffered,
    RenewalPaid,
    SamePlan,
    SubscriptionBilledByStripe,
    SubscriptionEnding,
    SubscriptionLapsed,
    SubscriptionNotActive,
)
from igny8_core.business.billing.selectors import all_subscriptions
from igny8_core.business.billing.serializers import ChangeSubscriptionInput, EndSubscriptionInput
from igny8_core.business.billing.services.payment_states.under_way import ATTEMPT_REFUSALS
from igny8_core.business.billing.services.subscriptions.decisions import change_for_customer, end_for_customer
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent
from igny8_core.common.api.query import choice_filter, code_filter, id_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ListViewSet
from igny8_core.common.errors import NotFound

CHANGE_REFUSALS = (
    *(
        PlanNotOffered,
        SamePlan,
        SubscriptionNotActive,
        SubscriptionEnding,
        SubscriptionLapsed,
        RenewalPaid,
        ChangeBelowZero,
    ),
    SubscriptionBilledByStripe,
    *(OverLimits, PaymentUnderWay, BillingBoundReached, OwnAccount),
)


@extend_schema_view(list=extend_schema(operation_id="operator_list_subscriptions"))
class OperatorSubscriptionViewSet(ListViewSet):
    """Subscriptions, including ended ones. `plan` is the slug of the current plan."""

    tag = "operators"
    permission_classes = (IsOperator,)
    operator_permissions = {
        "list": "igny8_auth.view_subscription",
        "retrieve": "igny8_auth.view_subscription",
        "end": "igny8_auth.end_subscription",
        "change": "igny8_auth.change_subscription_plan",
    }
    lookup_url_kwarg = "subscription_id"
    serializer_class = OperatorSubscriptionOutput
    filters = {
        "status": choice_filter("status", SubscriptionStatus),
        "account": id_filter("account_id"),
        "plan": code_filter("plan__slug", "[-a-zA-Z0-9_]{1,50}", "the slug of a plan, for example starter"),
    }
    orderings = {"created_at": "id"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Subscription]:
        return all_subscriptions()

    @extend_schema(operation_id="operator_retrieve_subscription", responses=OperatorSubscriptionOutput)
    def retrieve(self, request: Request, subscription_id: int) -> Response:
        """One subscription, with its period and scheduled changes."""
        return success(OperatorSubscriptionOutput(subscription_with_id(subscription_id)).data)

    @extend_schema(
        operation_id="operator_end_subscription", request=EndSubscriptionInput, responses=OperatorSubscriptionOutput
    )
    @action(detail=True, methods=["post"])
    @refuses(NoSubscription, SubscriptionBilledByStripe, PaymentUnderWay, OwnAccount, *ATTEMPT_REFUSALS)
    @idempotent()
    def end(self, request: Request, subscription_id: int) -> Response:
        """End a customer's subscription, at once or with its period. The customer gets an e-mail without the reason."""
        decision = self.validated(EndSubscriptionInput)
        subscription = end_for_customer(
            subscription_with_id(subscription_id),
            user_of(request),
            decision["reason"],
            at_period_end=decision["at_period_end"],
        )
        runs_on = subscription.cancel_at_period_end
        message = "The subscription ends with its period." if runs_on else "The subscription has ended."
        return success(OperatorSubscriptionOutput(subscription_with_id(subscription_id)).data, message)

    @extend_schema(
        operation_id="operator_change_subscription", request=ChangeSubscriptionInput, responses=PlanChangeOutput
    )
    @action(detail=True, methods=["post"])
    @refuses(*CHANGE_REFUSALS, *ATTEMPT_REFUSALS)
    @idempotent()
    def change(self, request: Request, subscription_id: int) -> Response:
        """Order another plan for a customer. A larger one is invoiced; a smaller one starts with the next period."""
        decision = self.validated(ChangeSubscriptionInput)
        change = change_for_customer(
            subscription_with_id(subscription_id), decision["plan_slug"], user_of(request), decision["reason"]
        )
        answer = {"subscription": subscription_with_id(subscription_id), "invoice": change.invoice}
        return success(PlanChangeOutput(answer).data, change.text)


def subscription_with_id(subscription_id: int) -> Subscription:
    """Any account's subscription with this id. Raises NotFound."""
    subscription = all_subscriptions().filter(pk=subscription_id).first()
    if subscription is None:
        raise NotFound()
    return subscription
