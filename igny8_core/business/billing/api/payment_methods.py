"""The public list of payment methods of a country, which every visitor of a price page reads."""

import math
import time

from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.utils.translation import gettext as _
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
from igny8_core.common.languages import current_language

# The version is a hash of the table's content, so that it follows every change, even one made with SQL.
CONTENT_VERSION = """
SELECT coalesce(md5(string_agg(config::text, ',' ORDER BY config.id)), '') FROM igny8_payment_method_config config
"""


class RenderedLists:
    """This process's cache of rendered lists, by language and country. It is emptied when the table's content changes.

    The table is checked every settings.PAYMENT_METHOD_LIST_RECHECK_SECONDS, so a list can be that old. Signup and
    payment do not use this cache.
    """

    def __init__(self) -> None:
        self.version = ""
        self.checked_at = -math.inf
        self.bodies: dict[tuple[str, str], bytes] = {}

    def body(self, country_code: str) -> bytes:
        """The JSON array for a country; "" for the methods of all countries."""
        now = time.monotonic()
        if now - self.checked_at >= settings.PAYMENT_METHOD_LIST_RECHECK_SECONDS:
            self._recheck(now)
        key = current_language(), country_code
        body = self.bodies.get(key)
        if body is None:
            methods = PaymentService.get_available_payment_methods(country_code)
            body = self.bodies[key] = JSONRenderer().render(PaymentMethodOutput(methods, many=True).data)
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
        parameters=[
            OpenApiParameter("country", str, description="ISO 3166-1 alpha-2; by default the methods of all countries")
        ],
        responses=PaymentMethodOutput(many=True),
        extensions={BARE: True},
    )
    def list(self, request: Request) -> HttpResponse:
        """Payment methods offered in a country, in display order, as a bare array."""
        country = request.query_params.get("country", "").upper()
        country = "" if country == ALL_COUNTRIES else country
        if country and country not in COUNTRY_NAMES:
            raise ValidationError(
                {"country": [_("Expected a country code of two letters (ISO 3166-1), for example PK.")]}
            )
        return HttpResponse(rendered_lists.body(country), content_type="application/json")


@extend_schema_view(list=extend_schema(operation_id="list_payment_methods_under_admin"))
class PaymentMethodUnderAdminViewSet(PaymentMethodViewSet):
    """The same list at the address that the first clients of this API use."""
