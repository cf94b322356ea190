"""What operators send to offer a payment method in a country."""

from typing import Any

from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models import ALL_COUNTRIES
from igny8_core.common.api.fields import (
    CountryCodeField,
    MultilineTextField,
    PlainTextField,
    TrueOrFalseField,
    WholeNumberField,
)
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.bank_codes import why_not_bic, why_not_iban

# What the column holds.
MAX_SORT_ORDER = 2**15 - 1


class CountryOrAllField(CountryCodeField):
    """A country code, or * for all countries that have no row of their own."""

    def clean_text(self, text: str) -> str:
        return text if text == ALL_COUNTRIES else super().clean_text(text)


class IbanField(PlainTextField):
    """An IBAN, stored without spaces and in capitals."""

    def clean_text(self, text: str) -> str:
        iban = super().clean_text(text).replace(" ", "").upper()
        if iban and (refusal := why_not_iban(iban)):
            raise serializers.ValidationError(refusal, code="invalid_iban")
        return iban


class BicField(PlainTextField):
    """A BIC, also called SWIFT code."""

    def clean_text(self, text: str) -> str:
        bic = super().clean_text(text)
        if bic and (refusal := why_not_bic(bic)):
            raise serializers.ValidationError(refusal, code="invalid_bic")
        return bic


def _detail(max_length: int, **more: Any) -> PlainTextField:
    return PlainTextField(max_length=max_length, required=False, allow_blank=True, **more)


class PaymentMethodInput(StrictSerializer):
    country_code = CountryOrAllField(help_text="ISO 3166-1 alpha-2, or * for all countries")
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices, help_text="Which way of paying the row describes"
    )
    display_name = PlainTextField(max_length=100, help_text="Its name as customers read it")
    is_enabled = TrueOrFalseField(required=False, help_text="False in a country's row hides the method there")
    instructions = MultilineTextField(
        max_length=4000, required=False, allow_blank=True, help_text="What customers are told to do; can be empty"
    )
    bank_name = _detail(100)
    account_title = _detail(100, help_text="Name of the account's holder")
    account_number = _detail(50)
    routing_number = _detail(50)
    swift_code = BicField(max_length=11, required=False, allow_blank=True)
    iban = IbanField(max_length=42, required=False, allow_blank=True)
    wallet_type = _detail(50)
    wallet_id = _detail(100)
    sort_order = WholeNumberField(
        min_value=0, max_value=MAX_SORT_ORDER, required=False, help_text="Lower numbers are shown first"
    )
