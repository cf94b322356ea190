"""How one can pay in a country: public, and read by every visitor of the price page."""

import math
import time

from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from igny8_core.business.billing.models import ALL_COUNTRIES
from igny8_core.business.billing.serializers import PaymentMethodOutput
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.api.openapi import BARE
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.throttling import NetworkThrottle
from igny8_core.common.api.views import ApiViewSet
from igny8_core.common.countries import COUNTRY_NAMES

# The version is a hash of what the table holds, so that no way of changing a row, not even SQL, can forget to bump it.
CONTENT_VERSION = """
SELECT coalesce(md5(string_agg(config::text, ',' ORDER BY config.id)), '') FROM igny8_payment_method_config config
"""


class RenderedLists:
    """The lists of this process as bytes, by country, thrown away when the table's content has changed.

    The table is looked at again after settings.PAYMENT_METHOD_LIST_RECHECK_SECONDS: that is how long a process may
    show what it showed before. Signup and payment never read it from here.
    """

    def __init__(self) -> None:
        self.version = ""
        self.checked_at = -math.inf
        self.bodies: dict[str, bytes] = {}

    def body(self, country_code: str) -> bytes:
        """The JSON array for a country ("": the global methods)."""
        now = time.monotonic()
        if now - self.checked_at >= settings.PAYMENT_METHOD_LIST_RECHECK_SECONDS:
            self._recheck(now)
        body = self.bodies.get(country_code)
        if body is None:
            methods = PaymentService.get_available_payment_methods(country_code)
            body = self.bodies[country_code] = JSONRenderer().render(PaymentMethodOutput(methods, many=True).data)
        return body

    def _recheck(self, now: float) -> None:
        with connection.cursor() as cursor:
            cursor.execute(CONTENT_VERSION)
            (version,) = cursor.fetchone()
        if version != self.version:
            self.version, self.bodies = version, {}
        self.checked_at = now


rendered_lists = RenderedLists()


class PaymentMethodsThrottle(NetworkThrottle):
    scope = "payment_methods"


class PaymentMethodViewSet(ApiViewSet):
    """The payment methods that are offered."""

    tag = "billing"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (PaymentMethodsThrottle,)
    query_parameters = frozenset({"country"})

    @extend_schema(
        operation_id="list_payment_methods",
        parameters=[OpenApiParameter("country", str, description="ISO 3166-1 alpha-2; * or none: the global methods")],
        responses=PaymentMethodOutput(many=True),
        extensions={BARE: True},
    )
    def list(self, request: Request) -> HttpResponse:
        """Payment methods offered in a country, in display order, as a bare array."""
        country = request.query_params.get("country", "").upper()
        country = "" if country == ALL_COUNTRIES else country
        if country and country not in COUNTRY_NAMES:
            raise ValidationError({"country": ["Expected a country code of two letters as in ISO 3166-1, e.g. PK."]})
        return HttpResponse(rendered_lists.body(country), content_type="application/json")


@extend_schema_view(list=extend_schema(operation_id="list_payment_methods_under_admin"))
class PaymentMethodUnderAdminViewSet(PaymentMethodViewSet):
    """The same list under the address that the first clients of this API know."""
