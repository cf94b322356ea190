"""What goes in and comes out of saving ways of paying."""

from typing import Any

from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.gateways import card_form_key, card_method
from igny8_core.common.api.fields import EnumField, PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class CardSetupOutput(OutputSerializer):
    setup = serializers.CharField(source="setup_id", help_text="To be sent to payment-methods/add/ afterwards")
    client_secret = serializers.CharField(help_text="For Stripe.js")
    public_key = serializers.SerializerMethodField(help_text="For Stripe.js")

    def get_public_key(self, setup: Any) -> str:
        return card_form_key()


class SavedMethodInput(StrictSerializer):
    type = serializers.ChoiceField(choices=PaymentMethodType.choices, help_text="Which way of paying is saved")
    display_name = PlainTextField(max_length=100, required=False, default="", help_text="Without it the method's own")
    setup = PlainTextField(
        max_length=100, required=False, default="", help_text="Of a card: what payment-methods/setup/ answered"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for a card without its setup, and for a setup of something else."""
        if (attrs["type"] == card_method()) != bool(attrs["setup"]):
            text = "A card is saved with the setup that payment-methods/setup/ began; nothing else has one."
            raise serializers.ValidationError({"setup": [text]})
        return attrs


class SavedMethodOutput(OutputSerializer):
    id = serializers.IntegerField()
    type = EnumField(PaymentMethodType, help_text="Which way of paying it is")
    type_display = serializers.CharField(source="get_type_display", help_text="The way of paying in English")
    display_name = serializers.CharField(help_text="The name that the account gave it")
    is_default = serializers.BooleanField(help_text="Whether it is used where no other is named")
    is_enabled = serializers.BooleanField(help_text="False: it cannot be used any more")
    is_verified = serializers.BooleanField(help_text="True: a card that the payment service has accepted")
    card_brand = serializers.CharField(help_text="Such as visa; empty where it is no card")
    card_last4 = serializers.CharField(help_text="The card number's last four digits; empty where it is no card")
    card_exp_month = serializers.IntegerField(
        allow_null=True, help_text="Month in which the card expires, 1 to 12; null where it is no card"
    )
    card_exp_year = serializers.IntegerField(
        allow_null=True, help_text="Year in which the card expires, of four digits; null where it is no card"
    )
    created_at = serializers.DateTimeField()
