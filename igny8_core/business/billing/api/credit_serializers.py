"""Input and output of the operations on credits."""

import json
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models import CreditGrantKind, CreditTransactionType
from igny8_core.business.billing.serializers import InvoiceOutput, PaymentMethodOutput
from igny8_core.common.api.fields import (
    CurrencyField,
    EnumField,
    IdField,
    MoneyField,
    PlainTextField,
    ShownAmountField,
    WholeNumberField,
)
from igny8_core.common.api.idempotency import KEY_PATTERN, InvalidIdempotencyKey
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer
from igny8_core.common.text import first_refused

MAX_QUANTITY = 1_000_000
MAX_METADATA_BYTES = 4096
MAX_METADATA_DEPTH = 4
_sorted_json = json.JSONEncoder(sort_keys=True)


class CreditGrantOutput(OutputSerializer):
    kind = EnumField(CreditGrantKind, help_text="Whether the credits came with the plan or were bought")
    amount = serializers.IntegerField(help_text="Granted credits")
    remaining = serializers.IntegerField(help_text="Credits that are not spent yet")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When the remaining credits expire; null: never")


class BalanceOutput(OutputSerializer):
    credits = serializers.IntegerField(help_text="Credits that can be spent now")
    plan_credits = serializers.IntegerField(help_text="Credits that the plan includes per period")
    grants = CreditGrantOutput(many=True, help_text="At most 100 grants, in the order in which they are spent")


class ExpiringGrantOutput(OutputSerializer):
    kind = EnumField(CreditGrantKind, help_text="Whether they came with the plan or were bought")
    remaining = serializers.IntegerField(help_text="Credits that are left of it")
    expires_at = serializers.DateTimeField(help_text="When what is left is lost")


class ExpiringCreditsOutput(OutputSerializer):
    total = serializers.IntegerField(help_text="Credits that are lost within these days if nobody spends them")
    grants = ExpiringGrantOutput(many=True, help_text="What they come from, soonest first, the first 100")


class CreditTransactionOutput(OutputSerializer):
    id = serializers.IntegerField()
    transaction_type = EnumField(CreditTransactionType, help_text="Why the credits were added or taken")
    amount = serializers.IntegerField(help_text="Credits added; negative if taken")
    balance_after = serializers.IntegerField(help_text="Balance after this transaction")
    description = serializers.CharField(help_text="A description for people")
    created_at = serializers.DateTimeField()


class CreditPackageOutput(OutputSerializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    credits = serializers.IntegerField(help_text="Credits in the package")
    price = MoneyField(help_text="Price before the discount")
    discount_percentage = serializers.IntegerField(help_text="Discount in per cent; 0: none")
    final_price = MoneyField(help_text="Price after the discount, which is charged")
    currency = CurrencyField()
    valid_days = serializers.IntegerField(allow_null=True, help_text="Days until the credits expire; null: never")
    is_featured = serializers.BooleanField(help_text="Whether we recommend it")


class PurchaseInput(StrictSerializer):
    package = PlainTextField(max_length=50, help_text="Slug of the package")
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices,
        required=False,
        default=str,
        help_text="By default the account's usual payment method",
    )
    expected_price = ShownAmountField(
        required=False, help_text="Price that the customer was shown; refused if it is more by now"
    )


class PurchaseOutput(OutputSerializer):
    invoice = InvoiceOutput(help_text="The invoice to pay; its payment grants the credits")
    payment_instructions = PaymentMethodOutput(source="offer", help_text="How to pay the invoice")


@extend_schema_field({"type": "object", "additionalProperties": True, "example": {"article": "4711"}})
class MetadataField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A JSON object of the caller's own: at most 4 KB and 4 levels, without control characters in its texts."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError(_('A JSON object is expected, for example {"article": "4711"}.'))
        if len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_METADATA_BYTES:
            raise serializers.ValidationError(
                _("At most %(max_metadata_bytes)s bytes of JSON.") % {"max_metadata_bytes": MAX_METADATA_BYTES}
            )
        if refusal := _why_not(data, MAX_METADATA_DEPTH):
            raise serializers.ValidationError(refusal)
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


def _why_not(value: Any, levels: int) -> str | None:
    """A sentence about the first thing in a JSON value that is refused, or None."""
    if isinstance(value, str):
        return first_refused(value, "\n\t")
    if not isinstance(value, dict | list):
        return None
    if levels < 1:
        return _("At most %(levels)s levels.") % {"levels": MAX_METADATA_DEPTH}
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return next((refusal for part in parts if (refusal := _why_not(part, levels - 1))), None)


class UsageInput(StrictSerializer):
    operation_type = PlainTextField(max_length=50)
    quantity = WholeNumberField(min_value=1, max_value=MAX_QUANTITY, help_text="Number of units of the operation")
    site = IdField(required=False, help_text="Id of the site that the operation is for")
    metadata = MetadataField(required=False, help_text="Your own data, stored with the usage; at most 4 KB")


class UsageOutput(OutputSerializer):
    transaction_id = serializers.IntegerField(source="entry.id", help_text="Id of the credit transaction")
    operation_type = serializers.CharField()
    quantity = serializers.IntegerField(help_text="Number of units of the operation")
    credits_spent = serializers.IntegerField(source="credits", help_text="Credits that the operation cost")
    balance = serializers.IntegerField(source="entry.balance_after", help_text="Balance afterwards")


MAX_OPERATIONS = 1000
# At most this many wrong operations are reported. More would mostly repeat the same mistake.
MAX_REPORTED_OPERATIONS = 20


class KeyField(serializers.CharField):
    """The Idempotency-Key of one operation in a batch."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=255, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not KEY_PATTERN.fullmatch(data):
            raise serializers.ValidationError(InvalidIdempotencyKey.text)
        return data


class BatchOperationInput(UsageInput):
    """One operation of a batch. The result has the attributes of the service's Operation."""

    site = IdField(source="site_id", required=False, help_text="Id of the site that the operation is for")
    key = KeyField(help_text="Idempotency-Key of this operation: a repeat gets the first result")


class OperationsField(serializers.ListField):
    """1 to 1,000 operations."""

    child = BatchOperationInput()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=1, max_length=MAX_OPERATIONS, **kwargs)

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        # Checked before the operations are validated. Validation stops after some wrong ones.
        if len(data) > MAX_OPERATIONS:
            raise serializers.ValidationError(
                _("Send at most %(max_operations)s operations at once, and the others in another batch.")
                % {"max_operations": MAX_OPERATIONS}
            )
        checked, errors = [], {}
        for index, item in enumerate(data):
            try:
                checked.append(self.child.run_validation(item))
            except serializers.ValidationError as error:
                errors[str(index)] = error.detail
                if len(errors) == MAX_REPORTED_OPERATIONS:
                    break
        if errors:
            raise serializers.ValidationError(errors)
        return checked


class UsageBatchInput(StrictSerializer):
    operations = OperationsField(help_text="The operations, in the order in which they are charged")

    def validate_operations(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuses a key that two different operations have. Raises ValidationError."""
        by_key: dict[str, dict[str, Any]] = {}
        for index, operation in enumerate(operations):
            first = by_key.setdefault(operation["key"], operation)
            # Compared as JSON, because in Python 1, 1.0 and True are equal, but they are different requests.
            if first is not operation and _sorted_json.encode(first) != _sorted_json.encode(operation):
                text = _("Another operation of this batch already has this key. Use a new key.")
                raise serializers.ValidationError({str(index): {"key": [text]}})
        return operations


class OperationOutput(OutputSerializer):
    key = serializers.CharField(help_text="Key of the operation")
    success = serializers.BooleanField(help_text="Whether the credits were spent")
    message = serializers.CharField(help_text="A sentence for people about the result")
    usage = UsageOutput(allow_null=True, help_text="The usage; null if the operation was refused")
    code = serializers.CharField(help_text="Error code; empty if the operation was not refused")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        help_text="For each wrong field of the operation, what is wrong",
    )
