"""Input and output of the operations on saved payment methods."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.gateways import card_form_key, card_method
from igny8_core.common.api.fields import EnumField, PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class CardSetupOutput(OutputSerializer):
    setup = serializers.CharField(source="setup_id", help_text="Send it to payment-methods/add/ afterwards")
    client_secret = serializers.CharField(help_text="Client secret for Stripe.js")
    public_key = serializers.SerializerMethodField(help_text="Publishable key for Stripe.js")

    def get_public_key(self, setup: Any) -> str:
        return card_form_key()


class SavedMethodInput(StrictSerializer):
    type = serializers.ChoiceField(choices=PaymentMethodType.choices, help_text="Type of the payment method")
    display_name = PlainTextField(
        max_length=100, required=False, default="", help_text="Name to show; by default the type's name"
    )
    setup = PlainTextField(
        max_length=100,
        required=False,
        default="",
        help_text="For a card: the `setup` that payment-methods/setup/ answered",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for a card without `setup`, and for `setup` with another type."""
        if (attrs["type"] == card_method()) != bool(attrs["setup"]):
            text = _("Send setup for a card, from payment-methods/setup/, and for no other type.")
            raise serializers.ValidationError({"setup": [text]})
        return attrs


class SavedMethodOutput(OutputSerializer):
    id = serializers.IntegerField()
    type = EnumField(PaymentMethodType, help_text="Type of the payment method")
    type_display = serializers.CharField(
        source="get_type_display", help_text="Name of the type, in the caller's language"
    )
    display_name = serializers.CharField(help_text="Name to show")
    is_default = serializers.BooleanField(help_text="Whether it is used if a request names no other")
    is_enabled = serializers.BooleanField(help_text="False: it can no longer be used")
    is_verified = serializers.BooleanField(help_text="True: the gateway has accepted the card")
    card_brand = serializers.CharField(help_text="Brand such as visa; empty if it is no card")
    card_last4 = serializers.CharField(help_text="Last four digits of the card number; empty if it is no card")
    card_exp_month = serializers.IntegerField(
        allow_null=True, help_text="Month in which the card expires, 1 to 12; null if it is no card"
    )
    card_exp_year = serializers.IntegerField(
        allow_null=True, help_text="Year in which the card expires, four digits; null if it is no card"
    )
    created_at = serializers.DateTimeField()
