"""The operators' console: Django's admin site with our theme."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

# The theme has no type hints, but it changes no types of Django's methods.
if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as UnfoldAdminSite
else:
    from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):
    """The operators' console."""

    index_title = "Dashboard"

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The results of the search field. The theme's own view would fail if `page` is not a number."""
        if not request.GET.get("page", "1").isdecimal():
            return HttpResponseBadRequest("The page in the address must be a number.", content_type="text/plain")
        result: HttpResponse = super().search(request, extra_context)  # type: ignore[misc]
        return result
