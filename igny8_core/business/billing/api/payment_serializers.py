"""What goes in and comes out of paying, saved payment methods and credit notes."""

from typing import Any

from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.api.serializers import PaymentMethodOutput
from igny8_core.common.api.fields import IdField, MoneyField, PlainTextField
from igny8_core.common.api.serializers import StrictSerializer


class PayInput(StrictSerializer):
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices,
        required=False,
        help_text="Without it and without saved_method the account's usual one",
    )
    saved_method = IdField(required=False, help_text="Id of a saved payment method, in place of payment_method")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError where both ways of naming the method are used."""
        if len(attrs) > 1:
            raise serializers.ValidationError({"saved_method": ["Name payment_method or saved_method, not both."]})
        return attrs


class PayOutput(serializers.Serializer[Any]):
    invoice_id = serializers.IntegerField(source="invoice.id")
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    payment_method = serializers.CharField(source="offer.payment_method")
    amount = MoneyField(source="invoice.total", currency_source="invoice.currency", help_text="Exactly what is due")
    currency = serializers.CharField(source="invoice.currency")
    reference = serializers.CharField(source="invoice.invoice_number", help_text="To be quoted with the payment")
    payment_instructions = PaymentMethodOutput(source="offer")


class SavedMethodInput(StrictSerializer):
    type = serializers.ChoiceField(choices=PaymentMethodType.choices)
    display_name = PlainTextField(max_length=100, required=False, default="", help_text="Without it the method's own")


class SavedMethodOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    type = serializers.CharField()
    type_display = serializers.CharField(source="get_type_display")
    display_name = serializers.CharField()
    is_default = serializers.BooleanField()
    is_enabled = serializers.BooleanField()
    is_verified = serializers.BooleanField()
    card_brand = serializers.CharField()
    card_last4 = serializers.CharField()
    card_exp_month = serializers.IntegerField(allow_null=True)
    card_exp_year = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class CreditNoteRowOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    credit_note_number = serializers.CharField()
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    payment_id = serializers.IntegerField()
    amount = MoneyField()
    currency = serializers.CharField()
    reason = serializers.CharField()
    reference = serializers.CharField(help_text="Of the transfer with which the money went back")
    credits_taken_back = serializers.IntegerField()
    credits_not_recovered = serializers.IntegerField(help_text="Used before; stated, not collected")
    created_at = serializers.DateTimeField()
