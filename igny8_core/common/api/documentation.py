"""The OpenAPI document and the page that shows it, with the refusals of every other address of the API."""

from typing import Any

from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.views import ApiView


class PublicPage(ApiView):
    """Refuses in JSON, and answers OPTIONS in it, whatever the page itself is written in."""

    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    schema = None

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if final.exception or request.method == "OPTIONS":
            final.accepted_renderer = JSONRenderer()
            final.accepted_media_type = JSONRenderer.media_type
        return final


class SchemaView(PublicPage, SpectacularJSONAPIView):
    """The document."""


class DocsView(PublicPage, SpectacularSwaggerSplitView):
    """The page, and with `script` the script that it loads."""

    query_parameters = frozenset({"script"})
