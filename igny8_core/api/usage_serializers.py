"""What the use of credits looks like over time."""

from rest_framework import serializers

from igny8_core.common.api.fields import EnumField
from igny8_core.common.api.serializers import OutputSerializer

GRANULARITIES = ("day", "week", "month")


class UseOutput(OutputSerializer):
    credits = serializers.IntegerField(help_text="Credits that were spent")
    operations = serializers.IntegerField(help_text="How often something was done")


class IntervalOutput(UseOutput):
    start = serializers.DateField(help_text="First day of the day, week or month, in the account's time zone")


class OperationUseOutput(UseOutput):
    operation_type = serializers.CharField()
    display_name = serializers.CharField()
    percent = serializers.CharField(help_text="Of all credits of the time, with two decimals")


class ProjectionOutput(OutputSerializer):
    month = serializers.DateField(help_text="First day of the running month")
    credits_used = serializers.IntegerField(help_text="Credits that were spent in it so far")
    projected_credits = serializers.IntegerField(help_text="If the month goes on at the same rate")


class AnalyticsOutput(OutputSerializer):
    date_from = serializers.DateField(source="first", help_text="First day of the time")
    date_to = serializers.DateField(source="last", help_text="Last day of the time, included")
    timezone = serializers.CharField(help_text="The account's time zone, in which days begin")
    granularity = EnumField(GRANULARITIES, help_text="How long the intervals of series are")
    totals = UseOutput(source="*", help_text="Of the whole time")
    average_per_day = serializers.CharField(help_text="Credits, with two decimals")
    series = IntervalOutput(many=True, help_text="Every day, week or month, also those without use")
    by_operation = OperationUseOutput(many=True, help_text="Most credits first")
    top_operations = OperationUseOutput(many=True, help_text="Those on which most credits were spent")
    projection = ProjectionOutput(help_text="What the running month may come to")
