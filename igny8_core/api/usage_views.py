"""What the account's credits were used for."""

from datetime import date, timedelta

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.permissions import IsMember, account_of
from igny8_core.business.billing.usage import analytics, today_of
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import parse_day
from igny8_core.common.api.serializers import OutputSerializer
from igny8_core.common.api.views import ApiView

GRANULARITIES = ("day", "week", "month")
USUAL_DAYS = 30
MAX_DAYS = 366
YEARS = range(2000, 2100)


class UseOutput(OutputSerializer):
    credits = serializers.IntegerField()
    operations = serializers.IntegerField(help_text="How often something was done")


class IntervalOutput(UseOutput):
    start = serializers.DateField(help_text="First day of the day, week or month, in the account's time zone")


class OperationUseOutput(UseOutput):
    operation_type = serializers.CharField()
    display_name = serializers.CharField()
    percent = serializers.CharField(help_text="Of all credits of the time, with two decimals")


class ProjectionOutput(OutputSerializer):
    month = serializers.DateField(help_text="First day of the running month")
    credits_used = serializers.IntegerField()
    projected_credits = serializers.IntegerField(help_text="If the month goes on at the same rate")


class AnalyticsOutput(OutputSerializer):
    date_from = serializers.DateField(source="first")
    date_to = serializers.DateField(source="last")
    timezone = serializers.CharField()
    granularity = serializers.ChoiceField(choices=GRANULARITIES)
    totals = UseOutput(source="*")
    average_per_day = serializers.CharField(help_text="Credits, with two decimals")
    series = IntervalOutput(many=True, help_text="Every day, week or month, also those without use")
    by_operation = OperationUseOutput(many=True, help_text="Most credits first")
    top_operations = OperationUseOutput(many=True)
    projection = ProjectionOutput()


class UsageAnalyticsView(ApiView):
    permission_classes = (IsMember,)
    query_parameters = frozenset({"from", "to", "granularity"})

    @extend_schema(
        operation_id="usage_analytics",
        tags=["account"],
        parameters=[
            OpenApiParameter("from", date, description="First day; without it 30 days up to `to`"),
            OpenApiParameter("to", date, description="Last day, included; without it today in the account's time zone"),
            OpenApiParameter("granularity", str, enum=GRANULARITIES, default="day"),
        ],
        responses=AnalyticsOutput,
    )
    def get(self, request: Request) -> Response:
        """Credits used: totals, series, by operation, average and projection, in days of the account's time zone."""
        account, now = account_of(request), timezone.now()
        last = self.day("to") or today_of(account, now)
        first = self.day("from") or last - timedelta(days=USUAL_DAYS - 1)
        if not first <= last < first + timedelta(days=MAX_DAYS):
            raise ValidationError({"from": [f"Expected 1 to {MAX_DAYS} days, from the first day to the last."]})
        granularity = request.query_params.get("granularity", "day")
        if granularity not in GRANULARITIES:
            raise ValidationError({"granularity": [f"Expected one of: {', '.join(GRANULARITIES)}."]})
        return success(AnalyticsOutput(analytics(account, first, last, granularity, now)).data)

    def day(self, name: str) -> date | None:
        """The query parameter as a date, or None where it is not given. Raises ValidationError."""
        value = self.request.query_params.get(name)
        try:
            day = None if value is None else parse_day(value)
        except ValidationError as error:
            raise ValidationError({name: error.detail}) from None
        if day and day.year not in YEARS:
            raise ValidationError({name: [f"Expected a day of the years {YEARS[0]} to {YEARS[-1]}."]})
        return day
