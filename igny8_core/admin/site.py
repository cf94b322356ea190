"""The operators' console: Django's admin site with our theme."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

# The theme has no type hints; it adds to Django's class and changes none of its methods' types.
if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as UnfoldAdminSite
else:
    from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):
    """The operators' console."""

    index_title = "Today"

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Results of the search field; the theme's own view would fail on a page that is no number."""
        if not request.GET.get("page", "1").isdecimal():
            return HttpResponseBadRequest("The page must be a number.", content_type="text/plain")
        result: HttpResponse = super().search(request, extra_context)  # type: ignore[misc]
        return result
