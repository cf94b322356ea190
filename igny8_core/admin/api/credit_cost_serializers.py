"""What goes in and comes out of the operators' operations on credit costs."""

from rest_framework import serializers

from igny8_core.common.api.fields import CodeField, PlainTextField, TrueOrFalseField, WholeNumberField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer

# What the column holds.
MAX_COST = 2**31 - 1


class CreditCostInput(StrictSerializer):
    operation_type = CodeField(
        max_length=50, pattern=r"[a-z0-9][a-z0-9_-]*", expected="Small letters, digits, _ and - are expected."
    )
    display_name = PlainTextField(max_length=100)
    credits_per_unit = WholeNumberField(min_value=1, max_value=MAX_COST, help_text="Credits that one unit costs")
    unit = PlainTextField(max_length=50, help_text="What is counted: article, image, 100 words, …")
    is_active = TrueOrFalseField(required=False, help_text="False: the operation cannot be charged any more")


class CreditCostUpdateInput(StrictSerializer):
    display_name = PlainTextField(max_length=100)
    credits_per_unit = WholeNumberField(
        min_value=1, max_value=MAX_COST, help_text="Credits that one unit costs from now on"
    )
    unit = PlainTextField(max_length=50, help_text="What is counted: article, image, 100 words, …")
    is_active = TrueOrFalseField(help_text="False: the operation cannot be charged any more")


class CreditCostOutput(OutputSerializer):
    id = serializers.IntegerField()
    operation_type = serializers.CharField()
    display_name = serializers.CharField()
    credits_per_unit = serializers.IntegerField(help_text="Credits that one unit costs")
    unit = serializers.CharField(help_text="What is counted: article, image, 100 words, …")
    is_active = serializers.BooleanField(help_text="False: the operation cannot be charged any more")
