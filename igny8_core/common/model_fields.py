"""Columns that several apps share."""

from decimal import Decimal
from typing import Any

from django.db import models

CENTS = Decimal("0.01")


class AmountField(models.DecimalField):  # type: ignore[type-arg]
    """An amount of money; the model has a column `currency` beside it. Four decimals fit every ISO 4217 currency.

    Amounts are read back with two decimals (89.00, not 89.0000), and with more where the amount has more.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_digits": 14, "decimal_places": 4, **kwargs})

    def from_db_value(self, value: Decimal | None, *_: Any) -> Decimal | None:
        """The stored amount without trailing zeros after the cents."""
        if value is None:
            return None
        cents = value.quantize(CENTS)
        return cents if cents == value else value.normalize()
