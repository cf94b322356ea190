"""The plans that a visitor can choose from, before signing up."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from igny8_core.auth.models import Plan
from igny8_core.auth.selectors import public_plans
from igny8_core.auth.serializers import PlanOutput
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.views import ListViewSet


@extend_schema_view(list=extend_schema(operation_id="list_plans"))
class PlanViewSet(ListViewSet):
    """Plans that anybody can order."""

    tag = "auth"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    serializer_class = PlanOutput
    orderings = {"sort_order": "sort_order", "price": "price"}
    default_ordering = "sort_order"

    def rows(self) -> QuerySet[Plan]:
        return public_plans()
