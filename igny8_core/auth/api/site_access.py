"""Who may work on a site of one's own account."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.api.serializers import SiteAccessInput, SiteMemberOutput
from igny8_core.auth.api.sites import SitePermission, visible_site
from igny8_core.auth.errors import AccessByRole, TeamNotManaged
from igny8_core.auth.models import User
from igny8_core.auth.permissions import user_of
from igny8_core.auth.selectors import members_with_access
from igny8_core.auth.services.site_service import SiteService
from igny8_core.common.api.envelope import success
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView, ListView


class SiteAccessListView(ListView):
    """Who may work on the site."""

    permission_classes = (SitePermission,)
    serializer_class = SiteMemberOutput
    orderings = {"email": "email", "granted_at": "granted_at"}
    default_ordering = "email"

    def rows(self) -> QuerySet[User]:
        return members_with_access(visible_site(self.request, self.kwargs["site_id"]))

    @extend_schema(operation_id="list_site_access", tags=["sites"])
    def get(self, request: Request, site_id: int) -> Response:
        """Members who may work on the site, owners and admins among them."""
        return super().get(request, site_id)

    @extend_schema(
        operation_id="grant_site_access",
        tags=["sites"],
        request=SiteAccessInput,
        responses={201: SiteMemberOutput},
    )
    @refuses(TeamNotManaged)
    def post(self, request: Request, site_id: int) -> Response:
        """Let a member of the account work on the site. Who has access already keeps it."""
        member_id = self.validated(SiteAccessInput)["user"]
        site = visible_site(request, site_id)
        SiteService.grant_access(site, member_id, user_of(request))
        member = members_with_access(site).get(pk=member_id)
        return success(SiteMemberOutput(member).data, "Access given.", status=201)


class SiteAccessDetailView(ApiView):
    permission_classes = (SitePermission,)

    @extend_schema(operation_id="revoke_site_access", tags=["sites"], responses={200: None})
    @refuses(TeamNotManaged, AccessByRole)
    def delete(self, request: Request, site_id: int, user_id: int) -> Response:
        """End a member's access to the site. Owners and admins always have it: 409."""
        SiteService.revoke_access(visible_site(request, site_id), user_id, user_of(request))
        return success(message="Access ended.")
