"""Amounts as Stripe counts them: whole numbers of what it calls the smallest unit of a currency.

That unit is not ISO 4217's everywhere. UGX and ISK have no decimals any more, yet Stripe still counts them in
hundredths that have to be zero; MGA has decimals that Stripe does not know; with three decimals the last one has to
be zero.
"""

from decimal import Decimal

from igny8_core.common.money import round_amount

# https://docs.stripe.com/currencies, "Zero-decimal" and "Three-decimal currencies".
ZERO_DECIMALS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD JOD KWD OMR TND".split())
# What has to divide an amount in Stripe's unit.
STEPS = dict.fromkeys(("UGX", "ISK"), 100) | dict.fromkeys(THREE_DECIMALS, 10)


def to_stripe(amount: Decimal, currency: str) -> int:
    """`to_stripe(Decimal("12.34"), "USD") == 1234`.

    Raises ValueError for an amount that Stripe cannot take exactly, e.g. 1.234 KWD or half a yen.
    """
    scaled = amount.scaleb(_decimals(currency))
    units = int(scaled)
    if units != scaled or units % STEPS.get(currency, 1):
        raise ValueError(f"Stripe cannot take exactly {amount} {currency}.")
    return units


def from_stripe(units: int, currency: str) -> Decimal:
    """`from_stripe(1234, "usd") == Decimal("12.34")`, with the currency's own decimals; exact in any case."""
    currency = currency.upper()
    amount = Decimal(units).scaleb(-_decimals(currency))
    rounded = round_amount(amount, currency)
    return rounded if rounded == amount else amount


def _decimals(currency: str) -> int:
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2
