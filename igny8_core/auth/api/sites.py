"""The sites of one's own account."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.api.serializers import SiteInput, SiteOutput, SiteUpdateInput
from igny8_core.auth.errors import AccountCanceled, AccountSuspended, LimitReached, PaymentRequired
from igny8_core.auth.models import Site, SiteStatus
from igny8_core.auth.permissions import CanManageSites, CanWorkOnSites, IsMember, account_of, user_of
from igny8_core.auth.selectors import sites_of
from igny8_core.auth.services.site_service import SiteService
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import choice_filter, search_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView, ListView
from igny8_core.common.errors import NotFound


class SitePermission(BasePermission):
    """Members read, owner and admin write."""

    message = CanManageSites.message

    def has_permission(self, request: Request, view: ApiView) -> bool:  # type: ignore[override]
        needed = IsMember if request.method in SAFE_METHODS else CanManageSites
        return needed().has_permission(request, view)


class SiteDetailPermission(SitePermission):
    """As SitePermission, and editors change sites that they have access to."""

    def has_permission(self, request: Request, view: ApiView) -> bool:  # type: ignore[override]
        if request.method == "PATCH":
            return CanWorkOnSites().has_permission(request, view)
        return super().has_permission(request, view)


@extend_schema_view(get=extend_schema(operation_id="list_sites", tags=["sites"]))
class SiteListView(ListView):
    """The account's sites that one may see; `search` finds a part of the name."""

    permission_classes = (SitePermission,)
    serializer_class = SiteOutput
    filters = {"status": choice_filter("status", SiteStatus), "search": search_filter("name__icontains")}
    orderings = {"name": "name", "created_at": "created_at"}
    default_ordering = "name"

    def rows(self) -> QuerySet[Site]:
        return sites_of(account_of(self.request), user_of(self.request))

    @extend_schema(
        operation_id="create_site",
        tags=["sites"],
        request=SiteInput,
        responses={201: SiteOutput},
    )
    @refuses(PaymentRequired, AccountSuspended, AccountCanceled, LimitReached)
    def post(self, request: Request) -> Response:
        """Add a site, within the plan's `max_sites`; owners and admins get access to it."""
        site = SiteService.create_site(account_of(request), user_of(request), **self.validated(SiteInput))
        return success(SiteOutput(site).data, "Site created.", status=201)


class SiteDetailView(ApiView):
    permission_classes = (SiteDetailPermission,)

    @extend_schema(operation_id="retrieve_site", tags=["sites"], responses=SiteOutput)
    def get(self, request: Request, site_id: int) -> Response:
        """One site."""
        return success(SiteOutput(visible_site(request, site_id)).data)

    @extend_schema(operation_id="update_site", tags=["sites"], request=SiteUpdateInput, responses=SiteOutput)
    @refuses(PaymentRequired, AccountSuspended, AccountCanceled)
    def patch(self, request: Request, site_id: int) -> Response:
        """Change name, domain, industry or status; editors may on sites that they have access to."""
        changes = self.validated(SiteUpdateInput, partial=True)
        site = SiteService.update_site(visible_site(request, site_id), user_of(request), **changes)
        return success(SiteOutput(site).data, "Saved.")

    @extend_schema(operation_id="delete_site", tags=["sites"], responses={200: None})
    def delete(self, request: Request, site_id: int) -> Response:
        """Delete a site and everybody's access to it."""
        SiteService.delete_site(visible_site(request, site_id), user_of(request))
        return success(message="Site deleted.")


def visible_site(request: Request, site_id: int) -> Site:
    """The account's site with this id, if the caller may see it. Raises NotFound."""
    site = sites_of(account_of(request), user_of(request)).filter(pk=site_id).first()
    if site is None:
        raise NotFound()
    return site
