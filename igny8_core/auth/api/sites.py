"""The sites of the caller's account, and members' access to them."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.api.site_serializers import (
    SiteAccessInput,
    SiteInput,
    SiteMemberOutput,
    SiteOutput,
    SiteUpdateInput,
)
from igny8_core.auth.errors import (
    AccessByRole,
    AccountCanceled,
    AccountSuspended,
    LimitReached,
    PaymentRequired,
    TeamNotManaged,
)
from igny8_core.auth.models import Site, SiteStatus, User
from igny8_core.auth.permissions import CanWorkOnSites, MembersReadAdminsWrite, account_of, user_of
from igny8_core.auth.selectors import members_with_access, open_to, sites_of
from igny8_core.auth.services.sites import create_site, delete_site, grant_site_access, revoke_site_access, update_site
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import choice_filter, found_by_id, search_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView, ListViewSet
from igny8_core.common.errors import NotFound


class SitePermission(MembersReadAdminsWrite):
    """Members read, owners and admins write. Editors may change sites that they have access to."""

    def has_permission(self, request: Request, view: ApiView) -> bool:  # type: ignore[override]
        if getattr(view, "action", None) == "partial_update":
            return CanWorkOnSites().has_permission(request, view)
        return super().has_permission(request, view)


@extend_schema_view(list=extend_schema(operation_id="list_sites"))
class SiteViewSet(ListViewSet):
    """The account's sites that you may see. `search` matches any part of the name, `open_to` those open to a member."""

    tag = "sites"
    permission_classes = (SitePermission,)
    lookup_url_kwarg = "site_id"
    serializer_class = SiteOutput
    filters = {
        "status": choice_filter("status", SiteStatus),
        "search": search_filter("name__icontains"),
        "open_to": found_by_id(open_to),
    }
    orderings = {"name": "name", "created_at": "created_at"}
    default_ordering = "name"

    def rows(self) -> QuerySet[Site]:
        return sites_of(account_of(self.request), user_of(self.request))

    @extend_schema(operation_id="create_site", request=SiteInput, responses={201: SiteOutput})
    @refuses(PaymentRequired, AccountSuspended, AccountCanceled, LimitReached)
    def create(self, request: Request) -> Response:
        """Add a site, up to the plan's `max_sites`. Owners and admins get access to it."""
        site = create_site(account_of(request), user_of(request), **self.validated(SiteInput))
        return success(SiteOutput(site).data, _("Site created."), status=201)

    @extend_schema(operation_id="retrieve_site", responses=SiteOutput)
    def retrieve(self, request: Request, site_id: int) -> Response:
        """One site."""
        return success(SiteOutput(visible_site(request, site_id)).data)

    @extend_schema(operation_id="update_site", request=SiteUpdateInput, responses=SiteOutput)
    @refuses(PaymentRequired, AccountSuspended, AccountCanceled)
    def partial_update(self, request: Request, site_id: int) -> Response:
        """Change name, domain, industry or status. Editors may change sites that they have access to."""
        changes = self.validated(SiteUpdateInput, partial=True)
        site = update_site(visible_site(request, site_id), user_of(request), **changes)
        return success(SiteOutput(site).data, _("Saved."))

    @extend_schema(operation_id="delete_site", responses={200: None})
    def destroy(self, request: Request, site_id: int) -> Response:
        """Delete a site and all access to it."""
        delete_site(visible_site(request, site_id), user_of(request))
        return success(message=_("Site deleted."))


@extend_schema_view(list=extend_schema(operation_id="list_site_access"))
class SiteAccessViewSet(ListViewSet):
    """Members with access to the site, including owners and admins."""

    tag = "sites"
    permission_classes = (MembersReadAdminsWrite,)
    lookup_url_kwarg = "user_id"
    serializer_class = SiteMemberOutput
    orderings = {"email": "email", "granted_at": "granted_at"}
    default_ordering = "email"

    def rows(self) -> QuerySet[User]:
        return members_with_access(visible_site(self.request, self.kwargs["site_id"]))

    @extend_schema(operation_id="grant_site_access", request=SiteAccessInput, responses={201: SiteMemberOutput})
    @refuses(TeamNotManaged)
    def create(self, request: Request, site_id: int) -> Response:
        """Give a member access to the site. Nothing changes if they have it already."""
        member_id = self.validated(SiteAccessInput)["user"]
        site = visible_site(request, site_id)
        grant_site_access(site, member_id, user_of(request))
        member = members_with_access(site).get(pk=member_id)
        return success(SiteMemberOutput(member).data, _("Access given."), status=201)

    @extend_schema(operation_id="revoke_site_access", responses={200: None})
    @refuses(TeamNotManaged, AccessByRole)
    def destroy(self, request: Request, site_id: int, user_id: int) -> Response:
        """End a member's access to the site. Refused with 409 for owners and admins, who always have access."""
        revoke_site_access(visible_site(request, site_id), user_id, user_of(request))
        return success(message=_("Access ended."))


def visible_site(request: Request, site_id: int) -> Site:
    """The account's site with this id, if the caller may see it. Raises NotFound."""
    site = sites_of(account_of(request), user_of(request)).filter(pk=site_id).first()
    if site is None:
        raise NotFound()
    return site
