"""Money as Decimal with an ISO 4217 currency: parsing, formatting, rounding; `typed_amount` takes floats of a shell."""

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TypeVar

from django.utils.translation import gettext as _

from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop
from igny8_core.common.written import amount_with_currency, decimal_text

# The decimals ("minor unit") of currencies as ISO 4217 lists them; all others have two. CLDR (in Babel) has other
# numbers: it says what people write (PKR without decimals), not what the standard and the gateways count in.
ZERO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())

MAX_AMOUNT = Decimal("9999999999.9999")
AMOUNT_PATTERN = re.compile(r"[0-9]{1,10}(\.[0-9]{1,4})?")
CURRENCY_PATTERN = re.compile(r"[A-Z]{3}")
T = TypeVar("T")


class InvalidAmount(DomainError):
    """An input that is no amount of money in the given currency."""

    code = "invalid_amount"
    http_status = 400
    text = gettext_noop('This is not an amount of money. Write plain digits with a dot, for example "89.00".')


def minor_units(currency: str) -> int:
    """Number of decimals of an ISO 4217 currency: `minor_units("USD") == 2`, `minor_units("JPY") == 0`.

    Raises InvalidAmount unless `currency` is three capital ASCII letters.
    """
    if not CURRENCY_PATTERN.fullmatch(currency):
        raise InvalidAmount(
            _("%(currency)s is not a currency. Use three capital letters (ISO 4217), for example USD.")
            % {"currency": f"{currency!r}"}
        )
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def parse_amount(text: object, currency: str) -> Decimal:
    """The amount in `text`: more than zero, ASCII digits, no sign or exponent, at most the currency's decimals.

    Raises InvalidAmount, which says what was expected.
    """
    decimals = minor_units(currency)
    example = format_amount(Decimal(89), currency)
    if not isinstance(text, str) or not AMOUNT_PATTERN.fullmatch(text):
        raise InvalidAmount(_('An amount is text with plain digits, for example "%(example)s".') % {"example": example})
    if len(text.partition(".")[2]) > decimals:
        raise InvalidAmount(_expected_decimals(currency))
    amount = Decimal(text)
    if amount <= 0:
        raise InvalidAmount(_("The amount must be more than zero."))
    return amount


def typed_amount(amount: T | float, currency: str) -> T | Decimal:
    """An amount that somebody typed in a shell, as a Decimal: the float 99.00 becomes Decimal("99.00").

    Services that people call by hand convert amounts with this, so that no float gets further. Text, Decimal and None
    are returned unchanged. Raises InvalidAmount for True, NaN, infinity, and more decimals than `currency` has.
    """
    if not isinstance(amount, float | int):
        return amount
    if isinstance(amount, bool) or (isinstance(amount, float) and not math.isfinite(amount)):
        raise InvalidAmount(
            _('%(amount)s is not an amount of money. Write it like "%(example)s".')
            % {"amount": amount, "example": format_amount(Decimal(89), currency)}
        )
    # Checked before repr(): Python does not write numbers of thousands of digits.
    if abs(amount) > MAX_AMOUNT:
        raise InvalidAmount(_("The amount is too high. Write at most %(max_amount)s.") % {"max_amount": MAX_AMOUNT})
    value = Decimal(int.__repr__(amount) if isinstance(amount, int) else float.__repr__(amount))
    if refusal := why_not_decimals_of(currency, value):
        raise InvalidAmount(refusal)
    return round_amount(value, currency)


def why_not_decimals_of(currency: str, amount: Decimal) -> str | None:
    """A sentence if `amount` has more decimals than `currency`, else None."""
    return None if amount == round_amount(amount, currency) else _expected_decimals(currency)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """The amount rounded half up to the currency's decimals."""
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), rounding=ROUND_HALF_UP)


def discounted(price: Decimal, percentage: int, currency: str) -> Decimal:
    """The price less `percentage` per cent, rounded half up to the currency's decimals."""
    return round_amount(price * (100 - percentage) / 100, currency)


@lru_cache(maxsize=4096)
def format_amount(amount: Decimal, currency: str) -> str:
    """The amount as the API writes it: `format_amount(Decimal("89"), "USD") == "89.00"`."""
    return f"{round_amount(amount, currency):f}"


def _expected_decimals(currency: str) -> str:
    example = format_amount(Decimal(89), currency)
    return _('%(currency)s has %(minor_units)s decimals. Write the amount like "%(example)s".') % {
        "currency": currency,
        "minor_units": minor_units(currency),
        "example": example,
    }


def amount_text(amount: Decimal | str, currency: str) -> str:
    """The amount as people read it, with its currency: `amount_text(Decimal("89"), "USD") == "89.00 USD"`.

    In German it is 89,00 USD, and 89,00 € for EUR.
    """
    return amount_with_currency(Decimal(format_amount(Decimal(amount), currency)), currency)


def plain_amount_text(amount: Decimal, currency: str) -> str:
    """The amount as people read it, without its currency, as in a column: `1234.50`, in German `1.234,50`."""
    return decimal_text(round_amount(amount, currency))


def read_amount(amount: Decimal | float | str | None, currency: str) -> Decimal | None:
    """An amount given as text or as a number: text is parsed by parse_amount, numbers by typed_amount.

    Raises InvalidAmount.
    """
    return parse_amount(amount, currency) if isinstance(amount, str) else typed_amount(amount, currency)
