"""Business statistics, for operators."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.admin.api.statistics_serializers import StatisticsOutput
from igny8_core.auth.permissions import IsOperator
from igny8_core.business.billing import reports
from igny8_core.common.api.envelope import success
from igny8_core.common.api.views import SingletonViewSet

FAILED_SHOWN = 10
EVENTS_SHOWN = 20


class OperatorStatisticsViewSet(SingletonViewSet):
    """Business statistics."""

    tag = "operators"
    permission_classes = (IsOperator,)
    operator_permissions = {"retrieve": ("billing.view_payment", "igny8_auth.view_account")}

    @extend_schema(operation_id="operator_statistics", responses=StatisticsOutput)
    def retrieve(self, request: Request) -> Response:
        """Accounts, subscriptions, revenue, credits, and payments that wait for operators. Months are in UTC."""
        return success(StatisticsOutput(statistics()).data)


def statistics() -> dict[str, Any]:
    """The data of StatisticsOutput, with one query per figure."""
    plans, revenue = reports.active_subscriptions_by_plan(), reports.revenue_by_month()
    failed = reports.failed_payments()
    return {
        "accounts_by_status": reports.accounts_by_status(),
        "new_accounts_by_month": reports.new_accounts_by_month(),
        "active_subscriptions": {"total": sum(plan.subscriptions for plan in plans), "by_plan": plans},
        "mrr": reports.monthly_recurring_revenue(),
        "revenue": {"this_month": [row for row in revenue if row.month == revenue[-1].month], "by_month": revenue},
        "credits_this_month": reports.credits_this_month(),
        "pending_approvals": reports.pending_approvals(),
        "failed_payments": {"count": failed.count(), "latest": failed[:FAILED_SHOWN]},
        "recent_activity": reports.recent_events(EVENTS_SHOWN),
    }
