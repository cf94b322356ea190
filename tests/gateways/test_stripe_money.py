"""Amounts as Stripe counts them."""

from decimal import Decimal

import pytest

from igny8_core.business.billing.gateways.stripe.money import from_stripe, to_stripe


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("0.50", "USD", 50),
        ("9999999999.99", "EUR", 999_999_999_999),
        ("12.3400", "USD", 1234),
        ("100", "JPY", 100),
        ("100.00", "JPY", 100),
        ("1.230", "KWD", 1230),
        ("0.010", "BHD", 10),
        ("5", "UGX", 500),
        ("5", "ISK", 500),
        ("12", "MGA", 12),
        ("12.34", "HUF", 1234),
        ("12.34", "TWD", 1234),
    ],
)
def test_an_amount_goes_to_stripe_and_comes_back(amount: str, currency: str, units: int) -> None:
    assert to_stripe(Decimal(amount), currency) == units
    assert from_stripe(units, currency.lower()) == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0.005", "USD"),
        ("0.5", "JPY"),
        ("1.234", "KWD"),
        ("0.0001", "KWD"),
        ("5.50", "UGX"),
        ("0.01", "ISK"),
        ("12.20", "MGA"),
    ],
)
def test_an_amount_that_stripe_cannot_take_exactly_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=currency):
        to_stripe(Decimal(amount), currency)


def test_amounts_come_back_with_the_currencys_own_decimals() -> None:
    assert str(from_stripe(500, "usd")) == "5.00"
    assert str(from_stripe(500, "ugx")) == "5"
    assert str(from_stripe(500, "jpy")) == "500"
    assert str(from_stripe(500, "kwd")) == "0.500"


def test_an_amount_that_should_not_exist_is_not_rounded() -> None:
    assert from_stripe(550, "ugx") == Decimal("5.50")
