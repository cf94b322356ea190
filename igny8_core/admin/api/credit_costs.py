"""What operations cost in credits, for operators."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.admin.api.credit_cost_serializers import CreditCostOutput
from igny8_core.auth.permissions import IsOperator, user_of
from igny8_core.business.billing.errors import CreditCostExists
from igny8_core.business.billing.models import CreditCostConfig
from igny8_core.business.billing.selectors import credit_costs
from igny8_core.business.billing.serializers import CreditCostInput, CreditCostUpdateInput
from igny8_core.business.billing.services.credits.costs import create_credit_cost, update_credit_cost
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import flag_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ListViewSet
from igny8_core.common.errors import NotFound


@extend_schema_view(list=extend_schema(operation_id="operator_list_credit_costs"))
class OperatorCreditCostViewSet(ListViewSet):
    """Credit costs of all operations, including inactive ones."""

    tag = "operators"
    permission_classes = (IsOperator,)
    operator_permissions = {
        "list": "billing.view_creditcostconfig",
        "create": "billing.add_creditcostconfig",
        "partial_update": "billing.change_creditcostconfig",
    }
    lookup_url_kwarg = "cost_id"
    serializer_class = CreditCostOutput
    filters = {"is_active": flag_filter(Q(is_active=True))}
    orderings = {"operation_type": "operation_type"}
    default_ordering = "operation_type"

    def rows(self) -> QuerySet[CreditCostConfig]:
        return credit_costs()

    @extend_schema(
        operation_id="operator_create_credit_cost", request=CreditCostInput, responses={201: CreditCostOutput}
    )
    @refuses(CreditCostExists)
    def create(self, request: Request) -> Response:
        """Set what a new operation costs."""
        cost = create_credit_cost(user_of(request), **self.validated(CreditCostInput))
        return success(CreditCostOutput(cost).data, "Costs saved.", status=201)

    @extend_schema(
        operation_id="operator_update_credit_cost", request=CreditCostUpdateInput, responses=CreditCostOutput
    )
    def partial_update(self, request: Request, cost_id: int) -> Response:
        """Change what an operation costs from now on. With `is_active` false it can no longer be charged."""
        changes = self.validated(CreditCostUpdateInput, partial=True)
        cost = credit_costs().filter(pk=cost_id).first()
        if cost is None:
            raise NotFound()
        cost = update_credit_cost(cost, user_of(request), **changes)
        return success(CreditCostOutput(cost).data, "Saved.")
