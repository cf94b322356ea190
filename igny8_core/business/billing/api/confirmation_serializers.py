"""Input and output of confirming a payment."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models import MANUAL_METHODS, PaymentStatus
from igny8_core.common.api.fields import (
    CurrencyField,
    DayField,
    EnumField,
    HttpsUrlField,
    IdField,
    MoneyField,
    MultilineTextField,
    PlainTextField,
)
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer

MANUAL_CHOICES = [choice for choice in PaymentMethodType.choices if choice[0] in MANUAL_METHODS]


class ConfirmInput(StrictSerializer):
    invoice_id = IdField(help_text="Id of the invoice that was paid")
    payment_method = serializers.ChoiceField(choices=MANUAL_CHOICES, help_text="How the money was sent")
    amount = MoneyField(help_text="Exactly what is due")
    manual_reference = PlainTextField(max_length=100, help_text="As the bank or wallet shows it")
    transferred_on = DayField(required=False, help_text="Day of the transfer, of the last twelve months")
    payer_name = PlainTextField(
        max_length=150,
        required=False,
        allow_blank=True,
        default="",
        help_text="Who holds the account or wallet that the money came from",
    )
    manual_notes = MultilineTextField(
        max_length=2000,
        required=False,
        allow_blank=True,
        default="",
        help_text="A note for the operator who checks the payment",
    )
    proof_url = HttpsUrlField(
        required=False, allow_blank=True, default="", help_text="Link to a proof, in place of a file"
    )
    proof = IdField(required=False, help_text="Id of a file that was uploaded as proof of this payment")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Refuses a file and a link together. Raises ValidationError."""
        if data.get("proof") and data["proof_url"]:
            raise serializers.ValidationError({"proof": [_("Send either an uploaded file or a link, not both.")]})
        return data


class ConfirmOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="id")
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    status = EnumField(PaymentStatus, help_text="Status of the payment, which waits for an operator")
    amount = MoneyField(help_text="The confirmed amount")
    currency = CurrencyField()
    manual_reference = serializers.CharField()
