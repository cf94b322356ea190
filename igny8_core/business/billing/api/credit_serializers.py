"""What goes in and comes out of buying and spending credits."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.api.serializers import InvoiceOutput, PaymentMethodOutput
from igny8_core.common.api.fields import IdField, MoneyField, PlainTextField, WholeNumberField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer
from igny8_core.common.text import first_refused

MAX_QUANTITY = 1_000_000
MAX_METADATA_BYTES = 4096
MAX_METADATA_DEPTH = 4


class CreditPackageOutput(OutputSerializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    credits = serializers.IntegerField()
    price = MoneyField(help_text="Before the discount")
    discount_percentage = serializers.IntegerField()
    final_price = MoneyField(help_text="What is charged")
    currency = serializers.CharField()
    valid_days = serializers.IntegerField(
        allow_null=True, help_text="After so many days the credits expire; null: never"
    )
    is_featured = serializers.BooleanField()


class PurchaseInput(StrictSerializer):
    package = PlainTextField(max_length=50, help_text="Its slug")
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices, required=False, default="", help_text="Without it the account's usual one"
    )


class PurchaseOutput(OutputSerializer):
    invoice = InvoiceOutput()
    payment_instructions = PaymentMethodOutput(source="offer")


@extend_schema_field({"type": "object", "additionalProperties": True, "example": {"article": "4711"}})
class MetadataField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A small JSON object of the caller's own: at most 4 KB and 4 levels, its texts and names plain ones."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError('A JSON object is expected, for example {"article": "4711"}.')
        if len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_METADATA_BYTES:
            raise serializers.ValidationError(f"At most {MAX_METADATA_BYTES} bytes of JSON.")
        if refusal := _why_not(data, MAX_METADATA_DEPTH):
            raise serializers.ValidationError(refusal)
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


def _why_not(value: Any, levels: int) -> str | None:
    """A sentence on the first thing in a JSON value that is not taken, or None."""
    if isinstance(value, str):
        return first_refused(value, "\n\t")
    if not isinstance(value, dict | list):
        return None
    if levels < 1:
        return f"At most {MAX_METADATA_DEPTH} levels."
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return next((refusal for part in parts if (refusal := _why_not(part, levels - 1))), None)


class UsageInput(StrictSerializer):
    operation_type = PlainTextField(max_length=50)
    quantity = WholeNumberField(min_value=1, max_value=MAX_QUANTITY, help_text="In units of the operation")
    site = IdField(required=False, help_text="For which of the account's sites")
    metadata = MetadataField(required=False, help_text="Kept with the usage; at most 4 KB")


class UsageOutput(OutputSerializer):
    transaction_id = serializers.IntegerField(source="entry.id", help_text="The row of the ledger")
    operation_type = serializers.CharField()
    quantity = serializers.IntegerField()
    credits_spent = serializers.IntegerField(source="credits")
    balance = serializers.IntegerField(source="entry.balance_after", help_text="Afterwards")
