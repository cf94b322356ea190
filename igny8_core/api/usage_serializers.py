"""Output of the usage analytics."""

from rest_framework import serializers

from igny8_core.common.api.fields import EnumField
from igny8_core.common.api.serializers import OutputSerializer

GRANULARITIES = ("day", "week", "month")


class UseOutput(OutputSerializer):
    credits = serializers.IntegerField(help_text="Credits spent")
    operations = serializers.IntegerField(help_text="Number of operations")


class IntervalOutput(UseOutput):
    start = serializers.DateField(help_text="First day of the interval, in the account's time zone")


class OperationUseOutput(UseOutput):
    operation_type = serializers.CharField()
    display_name = serializers.CharField()
    percent = serializers.CharField(help_text="Share of all credits spent, with two decimals")


class ProjectionOutput(OutputSerializer):
    month = serializers.DateField(help_text="First day of the current month")
    credits_used = serializers.IntegerField(help_text="Credits spent in it so far")
    projected_credits = serializers.IntegerField(help_text="Credits of the whole month, if spending continues so")


class AnalyticsOutput(OutputSerializer):
    date_from = serializers.DateField(source="first", help_text="First day of the period")
    date_to = serializers.DateField(source="last", help_text="Last day of the period")
    timezone = serializers.CharField(help_text="The account's time zone, which decides when days begin")
    granularity = EnumField(GRANULARITIES, help_text="Length of each interval in the series")
    totals = UseOutput(source="*", help_text="Totals of the period")
    average_per_day = serializers.CharField(help_text="Credits per day, with two decimals")
    series = IntervalOutput(many=True, help_text="Every interval of the period, also those without usage")
    by_operation = OperationUseOutput(many=True, help_text="Usage by operation, most credits first")
    top_operations = OperationUseOutput(many=True, help_text="The operations with most credits")
    projection = ProjectionOutput(help_text="Projection for the current month")
