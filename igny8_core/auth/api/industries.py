"""The industries that a site can be in, readable before signing up."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from igny8_core.auth.models import Industry
from igny8_core.auth.selectors import active_industries
from igny8_core.auth.serializers import IndustryOutput
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.views import ListViewSet


@extend_schema_view(list=extend_schema(operation_id="list_industries"))
class IndustryViewSet(ListViewSet):
    """Industries that a site can be in."""

    tag = "auth"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    serializer_class = IndustryOutput
    orderings = {"name": "name"}
    default_ordering = "name"

    def rows(self) -> QuerySet[Industry]:
        return active_industries()
