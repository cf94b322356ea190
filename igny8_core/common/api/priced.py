"""Input of a price: its amount, its currency, and the check that the amount fits the currency."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from igny8_core.common.api.fields import MONEY_PATTERN, MoneyField, StrictTextField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.currencies import CURRENCIES
from igny8_core.common.money import MAX_AMOUNT, why_not_decimals_of


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{3}$", "example": "USD"})
class CurrencyCodeField(StrictTextField):
    """An ISO 4217 currency that is in use today. Lower case is accepted and turned into capitals."""

    def clean_text(self, text: str) -> str:
        code = text.strip().upper() if text.isascii() else ""
        if code not in CURRENCIES:
            expected = _("A currency code of three letters (ISO 4217) is expected, for example USD.")
            raise serializers.ValidationError(expected, code="invalid_currency")
        return code


@extend_schema_field({"type": "string", "pattern": MONEY_PATTERN, "example": "89.00"})
class PriceField(MoneyField):
    """A price; with `may_be_free` it can be zero."""

    def __init__(self, *, may_be_free: bool = False, **kwargs: Any) -> None:
        self.may_be_free = may_be_free
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if self.may_be_free and data in ("0", "0.0", "0.00", "0.000", "0.0000"):
            return Decimal(0)
        price = super().to_internal_value(data)
        if price > MAX_AMOUNT:
            raise serializers.ValidationError(
                _("The price is too high: at most %(max_amount)s.") % {"max_amount": MAX_AMOUNT}, code="invalid_amount"
            )
        return price


class PricedInput(StrictSerializer):
    """A price and its currency. If one of them is sent alone, it is checked against the stored value of the other."""

    price = PriceField()
    currency = CurrencyCodeField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError if the price has more decimals than its currency."""
        price, currency = (attrs.get(name, getattr(self.instance, name, None)) for name in ("price", "currency"))
        refusal = why_not_decimals_of(currency, price) if price is not None and currency else None
        if refusal:
            raise serializers.ValidationError({"price": [refusal]}, code="invalid_amount")
        return attrs
