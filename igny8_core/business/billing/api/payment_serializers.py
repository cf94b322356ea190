"""What goes in and comes out of paying, saved payment methods and credit notes."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.api.serializers import PaymentMethodOutput
from igny8_core.business.billing.models import PaymentStatus
from igny8_core.business.billing.services.attempts import NextStep
from igny8_core.common.api.examples import NOT_SHOWN
from igny8_core.common.api.fields import IdField, MoneyField, PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1, NOT_SHOWN: True})
class SavedMethodField(IdField):
    """Named in place of a payment method."""


@extend_schema_field({"type": "string", "maxLength": 500, NOT_SHOWN: True})
class ReturnUrlField(PlainTextField):
    """An address of this site."""


class PayInput(StrictSerializer):
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices,
        required=False,
        help_text="Without it and saved_method the account's usual one; stripe means a card that is entered now",
    )
    saved_method = SavedMethodField(
        required=False, help_text="Id of a saved payment method, in place of payment_method"
    )
    save_card = serializers.BooleanField(required=False, default=False, help_text="Keep the card that is entered now")
    return_url = ReturnUrlField(
        max_length=500,
        required=False,
        default="",
        help_text="Where bank or PayPal send the customer back to, on this site; else the invoice's payment page",
    )

    def validate_return_url(self, address: str) -> str:
        """Raises ValidationError for another site's address: nobody is sent to a stranger from a payment."""
        if address and not address.startswith(f"{settings.BASE_URL}/"):
            raise serializers.ValidationError(f"Expected an address that begins with {settings.BASE_URL}/")
        return address

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError where both ways of naming the method are used."""
        if "payment_method" in attrs and "saved_method" in attrs:
            raise serializers.ValidationError({"saved_method": ["Name payment_method or saved_method, not both."]})
        return attrs


class AttemptOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="payment.id")
    status = serializers.ChoiceField(source="payment.status", choices=PaymentStatus.choices)
    next_step = serializers.ChoiceField(choices=[(step.value, step.value) for step in NextStep])
    client_secret = serializers.CharField(source="charge.client_secret", default="", help_text="For Stripe.js")
    public_key = serializers.SerializerMethodField(help_text="For Stripe.js")
    approve_url = serializers.CharField(
        source="charge.approve_url", default="", help_text="Where the customer approves a PayPal payment"
    )
    failure_reason = serializers.CharField(
        source="payment.failure_reason", help_text="Why the last card was declined, where another one can be tried"
    )

    def get_public_key(self, attempt: Any) -> str:
        return public_key() if attempt.payment.payment_method == PaymentMethodType.STRIPE else ""


class PayOutput(OutputSerializer):
    invoice_id = serializers.IntegerField(source="invoice.id")
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    payment_method = serializers.CharField(source="offer.payment_method")
    amount = MoneyField(source="invoice.total", currency_source="invoice.currency", help_text="Exactly what is due")
    currency = serializers.CharField(source="invoice.currency")
    reference = serializers.CharField(source="invoice.invoice_number", help_text="To be quoted with the payment")
    payment_instructions = PaymentMethodOutput(source="offer")
    attempt = AttemptOutput(allow_null=True, help_text="Of card and PayPal; null for bank and wallet")


def public_key() -> str:
    """Stripe's publishable key, empty where Stripe is not set up."""
    return settings.STRIPE.public_key if settings.STRIPE else ""


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


class CreditNoteRowOutput(OutputSerializer):
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
