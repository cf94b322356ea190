"""The OpenAPI document and the pages that show it to people."""

from typing import Any

from csp.constants import SELF
from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.request import Request

from igny8_core.common.api.downloads import AnyType
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.published import published
from igny8_core.common.api.throttling import NetworkThrottle
from igny8_core.common.api.views import ApiView

# The document changes with a release. Caches ask for its ETag again after these seconds.
KEPT_SECONDS = 300
# What Redoc needs beyond the site's policy: empty <style> elements that it fills by script (the hash of nothing), one
# <style> element for its scroll bars, and a worker for its search.
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
SCROLL_BAR_STYLE = "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
PAGE_POLICY = {"style-src": [SELF, EMPTY_STYLE, SCROLL_BAR_STYLE], "worker-src": ["blob:"]}


class SchemaThrottle(NetworkThrottle):
    scope = "schema"


class SchemaView(ApiView):
    """The document. Operators, and everybody under DEBUG, get all of it; others get the customers' part."""

    permission_classes = (PublicEndpoint,)
    throttle_classes = (SchemaThrottle,)
    content_negotiation_class = AnyType
    schema = None

    def get(self, request: Request) -> HttpResponseBase:
        """The document as JSON, or 304 if the caller has it already; gzipped if the caller accepts that."""
        is_known = bool(request.user and request.user.is_authenticated)
        is_operator = is_known and request.user.is_staff
        document = published(for_operators=is_operator or settings.DEBUG)
        zipped = _takes_gzip(request.headers.get("Accept-Encoding", ""))
        response = HttpResponse(document.gzipped if zipped else document.plain, content_type="application/json")
        response["ETag"] = document.gzipped_tag if zipped else document.plain_tag
        if zipped:
            response["Content-Encoding"] = "gzip"
        response["Cache-Control"] = f"{'private' if is_known else 'public'}, max-age={KEPT_SECONDS}"
        patch_vary_headers(response, ["Accept-Encoding", "Authorization"])
        return get_conditional_response(request._request, etag=response["ETag"], response=response) or response


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header accepts gzip."""
    codings = dict(part.replace(" ", "").lower().partition(";")[::2] for part in accepted.split(","))
    return "gzip" in codings and codings["gzip"] not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}


class PublicPage(ApiView):
    """An HTML page. Refusals are JSON, as everywhere under /api/."""

    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    content_negotiation_class = AnyType
    schema = None

    def page(self, request: Request, template: str, **context: Any) -> HttpResponse:
        """Render the page with the API's name as its title."""
        return render(request._request, template, {"title": settings.SPECTACULAR_SETTINGS["TITLE"], **context})


class DocsView(PublicPage):
    """The page that shows the document to people."""

    def get(self, request: Request) -> HttpResponse:
        """HTML with Redoc, all of it served by us."""
        response = self.page(request, "api/docs.html")
        response._csp_replace = PAGE_POLICY  # type: ignore[attr-defined]
        return response


class CodesView(PublicPage):
    """The page that lists all error codes."""

    throttle_classes = (SchemaThrottle,)

    def get(self, request: Request) -> HttpResponse:
        """HTML with a table."""
        return self.page(request, "api/codes.html", codes=published(for_operators=settings.DEBUG).codes)
