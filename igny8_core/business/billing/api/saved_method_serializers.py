"""What goes in and comes out of saving ways of paying."""

from typing import Any

from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.api.payment_serializers import public_key
from igny8_core.common.api.fields import PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class CardSetupOutput(OutputSerializer):
    setup = serializers.CharField(source="setup_id", help_text="To be sent to payment-methods/add/ afterwards")
    client_secret = serializers.CharField(help_text="For Stripe.js")
    public_key = serializers.SerializerMethodField(help_text="For Stripe.js")

    def get_public_key(self, setup: Any) -> str:
        return public_key()


class SavedMethodInput(StrictSerializer):
    type = serializers.ChoiceField(choices=PaymentMethodType.choices)
    display_name = PlainTextField(max_length=100, required=False, default="", help_text="Without it the method's own")
    setup = PlainTextField(
        max_length=100, required=False, default="", help_text="Of a card: what payment-methods/setup/ answered"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for a card without its setup, and for a setup of something else."""
        if (attrs["type"] == PaymentMethodType.STRIPE) != bool(attrs["setup"]):
            text = "A card is saved with the setup that payment-methods/setup/ began; nothing else has one."
            raise serializers.ValidationError({"setup": [text]})
        return attrs


class SavedMethodOutput(OutputSerializer):
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
