"""Columns that several apps share."""

from decimal import Decimal
from typing import Any

from django.db import models

CENTS = Decimal("0.01")


class AmountField(models.DecimalField):  # type: ignore[type-arg]
    """An amount of money in the currency that stands beside it; four decimals are room for every ISO 4217 currency.

    Read back as people write it: 89.00, not 89.0000; more than two decimals only where they say something.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_digits": 14, "decimal_places": 4, **kwargs})

    def from_db_value(self, value: Decimal | None, *_: Any) -> Decimal | None:
        """The stored amount without zeros behind the cents."""
        if value is None:
            return None
        cents = value.quantize(CENTS)
        return cents if cents == value else value.normalize()
