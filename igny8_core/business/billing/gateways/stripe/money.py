"""Amounts as Stripe counts them: whole numbers of what Stripe calls a currency's smallest unit.

That unit differs from ISO 4217 for some currencies. UGX and ISK have no decimals any more, but Stripe counts them in
hundredths, which have to be zero. MGA has decimals, but Stripe counts it without. With three decimals, the last one has
to be zero.
"""

from decimal import Decimal

from igny8_core.common.money import round_amount

# https://docs.stripe.com/currencies, "Zero-decimal" and "Three-decimal currencies".
ZERO_DECIMALS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD JOD KWD OMR TND".split())
# An amount in Stripe's unit has to be a multiple of this.
STEPS = dict.fromkeys(("UGX", "ISK"), 100) | dict.fromkeys(THREE_DECIMALS, 10)
# https://docs.stripe.com/currencies, "Supported presentment currencies".
CURRENCIES = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP "
    "CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR "
    "ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN "
    "MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE "
    "SOS SRD STD SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR "
    "ZMW".split()
)
# The same page, "Minimum and maximum charge amounts". Minimums that are not listed depend on the account's own currency
# and the day's rate; for those currencies we refuse zero and leave the rest to Stripe.
MINIMUMS = {
    **dict.fromkeys("AUD BRL CAD CHF EUR INR NZD SGD USD".split(), Decimal("0.50")),
    **dict.fromkeys("AED MYR PLN RON".split(), Decimal("2.00")),
    **dict.fromkeys("NOK SEK".split(), Decimal("3.00")),
    **dict.fromkeys("MXN THB".split(), Decimal(10)),
    "BGN": Decimal("1.00"),
    "CZK": Decimal("15.00"),
    "DKK": Decimal("2.50"),
    "GBP": Decimal("0.30"),
    "HKD": Decimal("4.00"),
    "HUF": Decimal("175.00"),
    "JPY": Decimal(50),
}
# Eight digits in Stripe's unit; twelve for currencies with a small unit.
MAXIMUM, LARGE_MAXIMUM = 10**8 - 1, 10**12 - 1
LARGE = frozenset("COP HUF IDR INR JPY KRW LBP VND".split()) | ZERO_DECIMALS


def to_stripe(amount: Decimal, currency: str) -> int:
    """An amount in Stripe's unit: `to_stripe(Decimal("12.34"), "USD") == 1234`.

    Raises ValueError for an amount that Stripe cannot take exactly, for example 1.234 KWD or half a yen.
    """
    scaled = amount.scaleb(_decimals(currency))
    units = int(scaled)
    if units != scaled or units % STEPS.get(currency, 1):
        raise ValueError(f"Stripe cannot take an amount of exactly {amount} {currency}.")
    return units


def from_stripe(units: int, currency: str) -> Decimal:
    """An amount with the currency's decimals, exact in any case: `from_stripe(1234, "usd") == Decimal("12.34")`."""
    currency = currency.upper()
    amount = Decimal(units).scaleb(-_decimals(currency))
    rounded = round_amount(amount, currency)
    return rounded if rounded == amount else amount


def takes(amount: Decimal, currency: str) -> bool:
    """Whether Stripe accepts a charge of this amount."""
    if currency not in CURRENCIES or amount < MINIMUMS.get(currency, Decimal(0)):
        return False
    try:
        return 0 < to_stripe(amount, currency) <= (LARGE_MAXIMUM if currency in LARGE else MAXIMUM)
    except ValueError:
        return False


def _decimals(currency: str) -> int:
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2
