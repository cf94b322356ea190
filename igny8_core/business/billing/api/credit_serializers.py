"""What goes in and comes out of looking at credits, buying and spending them."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models import CreditGrantKind, CreditTransactionType
from igny8_core.business.billing.serializers import InvoiceOutput, PaymentMethodOutput
from igny8_core.common.api.fields import CurrencyField, EnumField, IdField, MoneyField, PlainTextField, WholeNumberField
from igny8_core.common.api.idempotency import KEY_PATTERN, InvalidIdempotencyKey
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer
from igny8_core.common.text import first_refused

MAX_QUANTITY = 1_000_000
MAX_METADATA_BYTES = 4096
MAX_METADATA_DEPTH = 4
_sorted_json = json.JSONEncoder(sort_keys=True)


class CreditGrantOutput(OutputSerializer):
    kind = EnumField(CreditGrantKind, help_text="Whether they came with the plan or were bought")
    amount = serializers.IntegerField(help_text="Credits as they were granted")
    remaining = serializers.IntegerField(help_text="Credits that are left of it")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When what is left is lost; null: never")


class BalanceOutput(OutputSerializer):
    credits = serializers.IntegerField(help_text="What can be spent now")
    plan_credits = serializers.IntegerField(help_text="What the plan includes per period")
    grants = CreditGrantOutput(many=True, help_text="In the order in which they are spent, the first 100")


class ExpiringGrantOutput(OutputSerializer):
    kind = EnumField(CreditGrantKind, help_text="Whether they came with the plan or were bought")
    remaining = serializers.IntegerField(help_text="Credits that are left of it")
    expires_at = serializers.DateTimeField(help_text="When what is left is lost")


class ExpiringCreditsOutput(OutputSerializer):
    total = serializers.IntegerField(help_text="Credits that are lost within these days if nobody spends them")
    grants = ExpiringGrantOutput(many=True, help_text="What they come from, soonest first, the first 100")


class CreditTransactionOutput(OutputSerializer):
    id = serializers.IntegerField()
    transaction_type = EnumField(CreditTransactionType, help_text="What the credits were given or taken for")
    amount = serializers.IntegerField(help_text="Negative takes away")
    balance_after = serializers.IntegerField(help_text="Credits that the account had then")
    description = serializers.CharField(help_text="What it was, for people")
    created_at = serializers.DateTimeField()


class CreditPackageOutput(OutputSerializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    credits = serializers.IntegerField(help_text="Credits that it brings")
    price = MoneyField(help_text="Before the discount")
    discount_percentage = serializers.IntegerField(help_text="Per cent off the price; 0: none")
    final_price = MoneyField(help_text="What is charged")
    currency = CurrencyField()
    valid_days = serializers.IntegerField(
        allow_null=True, help_text="After so many days the credits expire; null: never"
    )
    is_featured = serializers.BooleanField(help_text="Whether it is recommended")


class PurchaseInput(StrictSerializer):
    package = PlainTextField(max_length=50, help_text="Its slug")
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices, required=False, default=str, help_text="Without it the account's usual one"
    )


class PurchaseOutput(OutputSerializer):
    invoice = InvoiceOutput(help_text="What is to be paid; the credits come with the payment")
    payment_instructions = PaymentMethodOutput(source="offer", help_text="How it can be paid")


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
    quantity = serializers.IntegerField(help_text="In units of the operation")
    credits_spent = serializers.IntegerField(source="credits", help_text="Credits that left the balance")
    balance = serializers.IntegerField(source="entry.balance_after", help_text="Credits that are left afterwards")


MAX_OPERATIONS = 1000
# Of many operations that are wrong, so many are reported: the others are mostly wrong in the same way.
MAX_REPORTED_OPERATIONS = 20


class KeyField(serializers.CharField):
    """An operation's own Idempotency-Key."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=255, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not KEY_PATTERN.fullmatch(data):
            raise serializers.ValidationError(InvalidIdempotencyKey.text)
        return data


class BatchOperationInput(UsageInput):
    """One operation; its names are those of the service's Operation."""

    site = IdField(source="site_id", required=False, help_text="For which of the account's sites")
    key = KeyField(help_text="Of this operation, as in Idempotency-Key: a repeat gets the first result")


class OperationsField(serializers.ListField):
    """1 to 1,000 operations."""

    child = BatchOperationInput()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=1, max_length=MAX_OPERATIONS, **kwargs)

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        # Counted before any of them is looked at; the first wrong ones are enough.
        if len(data) > MAX_OPERATIONS:
            raise serializers.ValidationError(f"At most {MAX_OPERATIONS} operations at once. Send the rest after them.")
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
    operations = OperationsField(help_text="Spent in this order")

    def validate_operations(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuses a key that names two operations."""
        by_key: dict[str, dict[str, Any]] = {}
        for index, operation in enumerate(operations):
            first = by_key.setdefault(operation["key"], operation)
            # By their text: to Python 1, 1.0 and true are equal, and as requests by themselves they are not.
            if first is not operation and _sorted_json.encode(first) != _sorted_json.encode(operation):
                text = "This key names another operation of this batch already. Take a new key."
                raise serializers.ValidationError({str(index): {"key": [text]}})
        return operations


class OperationOutput(OutputSerializer):
    key = serializers.CharField(help_text="Which operation it was, by its key")
    success = serializers.BooleanField(help_text="Whether the credits were spent")
    message = serializers.CharField(help_text="What happened, in a sentence for people")
    usage = UsageOutput(allow_null=True, help_text="null where the operation was refused")
    code = serializers.CharField(help_text="Why it was refused; empty where it was not")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), help_text="By field of the operation"
    )
