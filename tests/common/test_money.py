"""Amounts that people type in a shell: what becomes of a float at the service's border (docs/domain.md section 1)."""

from decimal import Decimal
from typing import Any

import pytest

from igny8_core.common.money import InvalidAmount, typed_amount


@pytest.mark.parametrize(
    ("typed", "currency", "exact"),
    [
        (99.00, "USD", "99.00"), (0.1, "USD", "0.10"), (19.99, "USD", "19.99"), (1e2, "USD", "100.00"),
        (10, "USD", "10.00"),
        (8900.0, "JPY", "8900"), (26.125, "KWD", "26.125"), (-5.0, "USD", "-5.00"),
        (123456789.01, "USD", "123456789.01"),
    ],
)  # fmt: skip
def test_a_number_is_the_amount_that_python_shows(typed: float, currency: str, exact: str) -> None:
    found = typed_amount(typed, currency)

    assert isinstance(found, Decimal)
    assert str(found) == exact


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        (0.1 + 0.2, "USD"), (99.001, "USD"), (139.5, "JPY"), (0.0001, "KWD"), (1e300, "USD"), (True, "USD"),
        (False, "USD"), (float("nan"), "USD"), (float("inf"), "USD"), (float("-inf"), "USD"), (10**30, "USD"),
        (10**5000, "USD"), (-(10**5000), "JPY"),
    ],
    ids=lambda value: str(value) if isinstance(value, str | float) else "",
)  # fmt: skip
def test_a_number_that_is_no_amount_of_the_currency_is_refused(typed: float, currency: str) -> None:
    with pytest.raises(InvalidAmount):
        typed_amount(typed, currency)


@pytest.mark.parametrize("exact", ["89.00", Decimal("89.00"), Decimal("89.001"), None], ids=repr)
def test_what_is_no_python_number_is_left_to_the_checks_behind(exact: Any) -> None:
    assert typed_amount(exact, "USD") is exact
