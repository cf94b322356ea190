"""The list of payment methods beside a view of the same kind that does nothing but answer."""

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from igny8_core.business.billing.api.payment_methods import PaymentMethodViewSet, rendered_lists
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.views import ApiView


class ConstantView(ApiView):
    """Answers with the bytes that the list of Pakistan has, without looking whether they are still right."""

    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    body = b""

    def get(self, request: Request) -> HttpResponse:
        """The same bytes for every request."""
        if not self.body:
            ConstantView.body = rendered_lists.body("PK")
        return HttpResponse(self.body, content_type="application/json")


urlpatterns = [
    path("api/v1/billing/payment-methods/", PaymentMethodViewSet.as_view({"get": "list"})),
    path("api/v1/billing/constant/", ConstantView.as_view()),
]
