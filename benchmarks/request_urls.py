"""The site's addresses and a ViewSet that answers with a constant: what the machine does with no work in the view."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from igny8_core import urls
from igny8_core.common.api.permissions import PublicEndpoint


class ConstantViewSet(ViewSet):
    """Answers the same to everybody, without a session."""

    authentication_classes = ()
    permission_classes = (PublicEndpoint,)

    def list(self, request: Request) -> Response:
        """A constant in the envelope."""
        return Response({"success": True, "message": "", "data": None})

    def create(self, request: Request) -> Response:
        """The same for a POST."""
        return self.list(request)


handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
urlpatterns = [
    path("api/v1/constant/", ConstantViewSet.as_view({"get": "list", "post": "create"})),
    *urls.urlpatterns,
]
