"""Amounts as PayPal writes them. PayPal has its own list of currencies and decimals, which differs from ISO 4217."""

from decimal import Decimal

# https://developer.paypal.com/api/rest/reference/currency-codes/
DECIMALS = {
    **dict.fromkeys(
        "AUD BRL CAD CNY CZK DKK EUR HKD ILS MYR MXN NZD NOK PHP PLN GBP SGD SEK CHF THB USD".split(),
        2,
    ),
    **dict.fromkeys("HUF JPY TWD".split(), 0),
}


def to_paypal(amount: Decimal, currency: str) -> str:
    """`to_paypal(Decimal("12.3"), "USD") == "12.30"`. Raises ValueError if PayPal cannot take exactly this amount."""
    decimals = DECIMALS.get(currency)
    if decimals is None:
        raise ValueError(f"PayPal does not take {currency}.")
    exact = amount.quantize(Decimal(1).scaleb(-decimals))
    if exact != amount:
        raise ValueError(f"PayPal takes {currency} with at most {decimals} decimals.")
    return f"{exact:f}"


def takes(amount: Decimal, currency: str) -> bool:
    """Whether PayPal accepts a payment of this amount."""
    try:
        return amount > 0 and bool(to_paypal(amount, currency))
    except ValueError:
        return False
