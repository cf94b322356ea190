"""Analytics of the account's credit usage."""

from datetime import date, timedelta

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.api.usage_serializers import GRANULARITIES, AnalyticsOutput
from igny8_core.auth.permissions import IsMember, account_of
from igny8_core.business.billing.usage import MAX_DAYS, USUAL_DAYS, YEARS, analytics, today_of
from igny8_core.common import clock
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import parse_day
from igny8_core.common.api.views import SingletonViewSet


class UsageAnalyticsViewSet(SingletonViewSet):
    """Credit usage over time."""

    tag = "account"
    permission_classes = (IsMember,)
    query_parameters = frozenset({"from", "to", "granularity"})

    @extend_schema(
        operation_id="usage_analytics",
        parameters=[
            OpenApiParameter("from", date, description="First day; by default 29 days before `to`"),
            OpenApiParameter("to", date, description="Last day; by default today, in the account's time zone"),
            OpenApiParameter("granularity", str, enum=GRANULARITIES, default="day"),
        ],
        responses=AnalyticsOutput,
    )
    def retrieve(self, request: Request) -> Response:
        """Credits used: total, series, by operation, average, projection. Days are in the account's time zone."""
        account, now = account_of(request), clock.now()
        last = self.day("to") or today_of(account, now)
        first = self.day("from") or last - timedelta(days=USUAL_DAYS - 1)
        if not first <= last < first + timedelta(days=MAX_DAYS):
            raise ValidationError(
                {
                    "from": [
                        _("Choose a period of 1 to %(max_days)s days that begins before it ends.")
                        % {"max_days": MAX_DAYS}
                    ]
                }
            )
        granularity = request.query_params.get("granularity", "day")
        if granularity not in GRANULARITIES:
            raise ValidationError(
                {"granularity": [_("Expected one of: %(known)s.") % {"known": ", ".join(GRANULARITIES)}]}
            )
        return success(AnalyticsOutput(analytics(account, first, last, granularity, now)).data)

    def day(self, name: str) -> date | None:
        """The query parameter as a date, or None if it is missing. Raises ValidationError."""
        value = self.request.query_params.get(name)
        try:
            day = None if value is None else parse_day(value)
        except ValidationError as error:
            raise ValidationError({name: error.detail}) from None
        if day and day.year not in YEARS:
            raise ValidationError(
                {
                    name: [
                        _("Expected a day in the years %(first)s to %(last)s.") % {"first": YEARS[0], "last": YEARS[-1]}
                    ]
                }
            )
        return day
