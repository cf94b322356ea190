"""Money as Decimal with an ISO 4217 currency: parsing, formatting, rounding. `typed_amount` is where floats end."""

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TypeVar

from igny8_core.common.errors import DomainError

# ISO 4217 lists the decimals ("minor unit") of each currency; all others have two. CLDR, which Babel carries, is
# no substitute: it gives what people write (PKR without decimals), not what the standard and the gateways count in.
ZERO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())

MAX_AMOUNT = Decimal("9999999999.9999")
AMOUNT_PATTERN = re.compile(r"[0-9]{1,10}(\.[0-9]{1,4})?")
CURRENCY_PATTERN = re.compile(r"[A-Z]{3}")
T = TypeVar("T")


class InvalidAmount(DomainError):
    """Text that is not an amount of money in the given currency."""

    code = "invalid_amount"
    http_status = 400
    text = 'Not an amount of money. Write plain digits with a dot, for example "89.00".'


def minor_units(currency: str) -> int:
    """Number of decimals of an ISO 4217 currency: `minor_units("USD") == 2`, `minor_units("JPY") == 0`.

    Raises InvalidAmount for anything but three capital ASCII letters.
    """
    if not CURRENCY_PATTERN.fullmatch(currency):
        raise InvalidAmount(f"{currency!r} is not a currency. Use three capital letters as in ISO 4217, e.g. USD.")
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def parse_amount(text: object, currency: str) -> Decimal:
    """Read an amount > 0 from `text`, strictly: ASCII digits, at most the currency's decimals, no sign or exponent.

    Raises InvalidAmount naming what was expected.
    """
    decimals = minor_units(currency)
    example = format_amount(Decimal(89), currency)
    if not isinstance(text, str) or not AMOUNT_PATTERN.fullmatch(text):
        raise InvalidAmount(f'An amount is text with plain digits, for example "{example}".')
    if len(text.partition(".")[2]) > decimals:
        raise InvalidAmount(_expected_decimals(currency))
    amount = Decimal(text)
    if amount <= 0:
        raise InvalidAmount("The amount must be more than zero.")
    return amount


def typed_amount(amount: T | float, currency: str) -> T | Decimal:
    """What somebody typed in a shell as an amount: the float 99.00 becomes the Decimal that Python shows of it.

    Services that people call by hand take amounts through this, so that no float comes further in. Text, Decimal and
    None are given back as they are. Raises InvalidAmount for True, NaN, infinity and more decimals than `currency` has.
    """
    if not isinstance(amount, float | int):
        return amount
    if isinstance(amount, bool) or (isinstance(amount, float) and not math.isfinite(amount)):
        raise InvalidAmount(
            f'{amount} is not an amount of money. Write it like "{format_amount(Decimal(89), currency)}".'
        )
    # Before it is written out: Python does not write numbers of thousands of digits.
    if abs(amount) > MAX_AMOUNT:
        raise InvalidAmount(f"This is no amount of money: amounts go up to {MAX_AMOUNT}.")
    value = Decimal(int.__repr__(amount) if isinstance(amount, int) else float.__repr__(amount))
    if refusal := why_not_decimals_of(currency, value):
        raise InvalidAmount(refusal)
    return round_amount(value, currency)


def why_not_decimals_of(currency: str, amount: Decimal) -> str | None:
    """A sentence where `amount` says more than the decimals of `currency` can hold, or None."""
    return None if amount == round_amount(amount, currency) else _expected_decimals(currency)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's minor unit (docs/domain.md section 1)."""
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), rounding=ROUND_HALF_UP)


def discounted(price: Decimal, percentage: int, currency: str) -> Decimal:
    """What is left of a price after `percentage` per cent, rounded half up to the currency's minor unit."""
    return round_amount(price * (100 - percentage) / 100, currency)


@lru_cache(maxsize=4096)
def format_amount(amount: Decimal, currency: str) -> str:
    """The amount as the API writes it: `format_amount(Decimal("89"), "USD") == "89.00"`."""
    return f"{round_amount(amount, currency):f}"


def _expected_decimals(currency: str) -> str:
    example = format_amount(Decimal(89), currency)
    return f'{currency} has {minor_units(currency)} decimals. Write the amount like "{example}".'


def amount_text(amount: Decimal | str, currency: str) -> str:
    """The amount as people read it, with its currency: `amount_text(Decimal("89"), "USD") == "89.00 USD"`."""
    return f"{format_amount(Decimal(amount), currency)} {currency}"


def read_amount(amount: Decimal | float | str | None, currency: str) -> Decimal | None:
    """An amount as people write it by hand: text counts as it does on an invoice's line. Raises InvalidAmount."""
    return parse_amount(amount, currency) if isinstance(amount, str) else typed_amount(amount, currency)
