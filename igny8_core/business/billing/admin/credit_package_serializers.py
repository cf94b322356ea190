"""Input of a credit package in the console."""

from typing import Any

from rest_framework import serializers

from igny8_core.business.billing.serializers import MAX_NUMBER, MAX_SMALL_NUMBER
from igny8_core.common.api.fields import (
    ForeignIdField,
    PlainTextField,
    SlugField,
    TrueOrFalseField,
    WholeNumberField,
)
from igny8_core.common.api.priced import PricedInput
from igny8_core.common.money import discounted

MAX_DAYS = 36_500


class CreditPackageInput(PricedInput):
    name = PlainTextField(max_length=100)
    slug = SlugField(max_length=50)
    credits = WholeNumberField(min_value=1, max_value=MAX_NUMBER)
    valid_days = WholeNumberField(min_value=1, max_value=MAX_DAYS, allow_null=True)
    discount_percentage = WholeNumberField(min_value=0, max_value=99)
    is_active = TrueOrFalseField()
    is_featured = TrueOrFalseField()
    sort_order = WholeNumberField(min_value=0, max_value=MAX_SMALL_NUMBER)
    stripe_product_id = ForeignIdField()
    stripe_price_id = ForeignIdField()
    paypal_product_id = ForeignIdField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError also for a discount that leaves nothing to pay."""
        super().validate(attrs)
        names = ("price", "currency", "discount_percentage")
        price, currency, discount = (attrs.get(name, getattr(self.instance, name, None)) for name in names)
        if price and currency and not discounted(price, discount or 0, currency):
            text = f"Nothing is left to pay in {currency}. Raise the price, or lower the discount."
            raise serializers.ValidationError({"price": [text]}, code="invalid_amount")
        return attrs
