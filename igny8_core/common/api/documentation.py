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

# The document changes with a release only; after these seconds its ETag is asked about.
KEPT_SECONDS = 300
# What Redoc needs beside the site's policy. It makes empty <style> elements, which it fills by script (the hash is that
# of nothing), one with the look of its scroll bars, and a worker for its search.
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
SCROLL_BAR_STYLE = "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
PAGE_POLICY = {"style-src": [SELF, EMPTY_STYLE, SCROLL_BAR_STYLE], "worker-src": ["blob:"]}


class SchemaThrottle(NetworkThrottle):
    scope = "schema"


class SchemaView(ApiView):
    """The document: all of it for operators, and on a developer's machine (DEBUG); elsewhere the customers' part."""

    permission_classes = (PublicEndpoint,)
    throttle_classes = (SchemaThrottle,)
    content_negotiation_class = AnyType
    schema = None

    def get(self, request: Request) -> HttpResponseBase:
        """The document as JSON, or 304 for who has it; compressed for who takes that."""
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
    """Whether an Accept-Encoding header names gzip, and not to refuse it."""
    codings = dict(part.replace(" ", "").lower().partition(";")[::2] for part in accepted.split(","))
    return "gzip" in codings and codings["gzip"] not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}


class PublicPage(ApiView):
    """HTML for people; refusals are JSON as everywhere below /api/."""

    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    content_negotiation_class = AnyType
    schema = None

    def page(self, request: Request, template: str, **context: Any) -> HttpResponse:
        """The page, with the API's name for its title."""
        return render(request._request, template, {"title": settings.SPECTACULAR_SETTINGS["TITLE"], **context})


class DocsView(PublicPage):
    """The page that shows the document to people."""

    def get(self, request: Request) -> HttpResponse:
        """HTML with Redoc, from our own server only."""
        response = self.page(request, "api/docs.html")
        response._csp_replace = PAGE_POLICY  # type: ignore[attr-defined]
        return response


class CodesView(PublicPage):
    """The page of all codes that a refusal can carry."""

    throttle_classes = (SchemaThrottle,)

    def get(self, request: Request) -> HttpResponse:
        """HTML with a table."""
        return self.page(request, "api/codes.html", codes=published(for_operators=settings.DEBUG).codes)
