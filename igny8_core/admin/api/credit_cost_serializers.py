"""What comes out of the operators' operations on credit costs."""

from typing import Any

from rest_framework import serializers


class CreditCostOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    operation_type = serializers.CharField()
    display_name = serializers.CharField()
    credits_per_unit = serializers.IntegerField()
    unit = serializers.CharField()
    is_active = serializers.BooleanField()
