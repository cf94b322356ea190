"""Input and output of paying an invoice."""

import logging
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.api.payment_serializers import AttemptOutput
from igny8_core.business.billing.serializers import PaymentMethodOutput
from igny8_core.common.api.fields import CurrencyField, EnumField, IdField, MoneyField, PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer

logger = logging.getLogger(__name__)


class PayInput(StrictSerializer):
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices,
        required=False,
        help_text="By default the account's usual one. stripe means a card that the customer enters now.",
    )
    saved_method = IdField(required=False, help_text="Id of a saved payment method, in place of payment_method")
    save_card = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Save the card that is entered now, so that renewals are charged to it; tell the customer so. "
        "Without a saved card, a renewal waits until somebody pays it with the link of its mail.",
    )
    return_url = PlainTextField(
        max_length=500,
        required=False,
        default="",
        help_text="Address on this site to return to from bank or PayPal; by default the invoice's payment page",
    )

    def validate_return_url(self, address: str) -> str:
        """Raises ValidationError for an address of another site, so that no payment leads to a stranger's page."""
        if not address or address.startswith(f"{settings.BASE_URL}/"):
            return address
        host = self.context["request"].get_host()
        if not address.startswith((f"http://{host}/", f"https://{host}/")):
            raise serializers.ValidationError(
                _("Expected an address that begins with %(base_url)s/") % {"base_url": settings.BASE_URL}
            )
        # A page of ours sent it, which people opened at another address than the one that is set.
        logger.error(
            "customers cannot pay at this address",
            extra={"host": host, "base_url": settings.BASE_URL},
        )
        raise serializers.ValidationError(
            _("You cannot pay at this address of the site. Open %(base_url)s/ and pay there.")
            % {"base_url": settings.BASE_URL}
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError if both payment_method and saved_method are given."""
        if "payment_method" in attrs and "saved_method" in attrs:
            raise serializers.ValidationError({"saved_method": [_("Send payment_method or saved_method, not both.")]})
        return attrs


class PayOutput(OutputSerializer):
    invoice_id = serializers.IntegerField(source="invoice.id")
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    payment_method = EnumField(PaymentMethodType, source="offer.payment_method", help_text="The chosen payment method")
    amount = MoneyField(source="invoice.total", currency_source="invoice.currency", help_text="Exactly what is due")
    currency = CurrencyField(source="invoice.currency")
    reference = serializers.CharField(source="invoice.invoice_number", help_text="Quote it with a transfer")
    payment_instructions = PaymentMethodOutput(source="offer", help_text="How to pay")
    attempt = AttemptOutput(allow_null=True, help_text="The card or PayPal payment; null for bank and wallet")
