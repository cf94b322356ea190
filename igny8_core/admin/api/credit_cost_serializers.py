"""Output of the operators' operations on credit costs."""

from rest_framework import serializers

from igny8_core.common.api.serializers import OutputSerializer


class CreditCostOutput(OutputSerializer):
    id = serializers.IntegerField()
    operation_type = serializers.CharField()
    display_name = serializers.CharField()
    credits_per_unit = serializers.IntegerField(help_text="Credits that one unit costs")
    unit = serializers.CharField(help_text="What is counted: article, image, 100 words, …")
    is_active = serializers.BooleanField(help_text="False: the operation can no longer be charged")
