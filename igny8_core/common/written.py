"""Days, counts and amounts as people write them in the language that is being written.

Numbers are in Latin digits in every language, as business documents have them. What programs read (the API) is written
by others: `format_amount` of common/money.py, and ISO dates.
"""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from igny8_core.common.countries import COUNTRY_NAMES
from igny8_core.common.languages import current_language

# English as the world outside of America writes it: 5 March 2026.
REGIONS = {"en": "en_GB", "de": "de_DE", "ur": "ur_PK"}
# A currency's sign is written where everybody who reads the language knows it; else its three letters.
SIGNS = {("de", "EUR"): "€"}
FIRST_STRONG_ISOLATE, END = "\u2068", "\u2069"


@lru_cache
def locale_of(language: str) -> Locale:
    """The rules of a language, as CLDR has them."""
    return Locale.parse(REGIONS.get(language, language))


def language_tag() -> str:
    """The language that is being written and its region, as browsers name them: `en-GB`."""
    return str(locale_of(current_language())).replace("_", "-")


def country_text(code: str) -> str:
    """A country's name; a code that is none stays as it is."""
    names = COUNTRY_NAMES if current_language() == "en" else locale_of(current_language()).territories
    return str(names.get(code) or COUNTRY_NAMES.get(code, code))


def countries_to_choose() -> list[tuple[str, str]]:
    """Code and name of each country, in the order of their names."""
    return sorted(((code, country_text(code)) for code in COUNTRY_NAMES), key=lambda country: country[1])


def day_text(day: date) -> str:
    """A day: `5 March 2026`, `5. März 2026`."""
    return format_date(day, "long", locale=locale_of(current_language()))


def plain_day_text(day: date) -> str:
    """A day as invoices' lines have it: `2026-03-05` in English, else as `day_text`."""
    return f"{day:%Y-%m-%d}" if current_language() == "en" else day_text(day)


def in_sentence(label: str) -> str:
    """A label as it stands within a sentence: small, but not in German, whose nouns are capitalized anywhere."""
    return label if current_language() == "de" else label.lower()


def month_text(day: date) -> str:
    """A month: `March 2026`."""
    return format_date(day, "MMMM y", locale=locale_of(current_language()))


def short_day_text(day: date) -> str:
    """A day without the year: `5 Mar`."""
    pattern = "d. MMM" if current_language() == "de" else "d MMM"
    return format_date(day, pattern, locale=locale_of(current_language()))


def short_moment_text(moment: datetime) -> str:
    """Day and time without the year: `5 Mar, 14:05`."""
    return f"{short_day_text(moment)}{_comma()} {_time(moment)}"


def moment_text(moment: datetime) -> str:
    """Day and time: `5 March 2026, 14:05`."""
    return f"{day_text(moment)}{_comma()} {_time(moment)}"


def _comma() -> str:
    return "،" if current_language() == "ur" else ","


def _time(moment: datetime) -> str:
    return format_time(moment.timetz(), "HH:mm", tzinfo=moment.tzinfo, locale=locale_of(current_language()))


def count_text(number: int) -> str:
    """A count, readable at a glance: `12,000`, `12.000`."""
    return format_decimal(number, "#,##0", locale=locale_of(current_language()))


def decimal_text(value: Decimal) -> str:
    """A number with the decimals that it has: `1234.50` in English, `1.234,50` in German."""
    if current_language() == "en":
        return f"{value:f}"
    decimals = -int(value.as_tuple().exponent)
    pattern = "#,##0" + (f".{'0' * decimals}" if decimals > 0 else "")
    return format_decimal(value, pattern, locale=locale_of(current_language()))


def amount_with_currency(value: Decimal, currency: str) -> str:
    """An amount that has its currency's decimals: `1234.50 EUR`, `1.234,50 €`. One piece in right-to-left text."""
    language = current_language()
    if language == "en":
        return f"{value:f} {currency}"
    text = f"{decimal_text(value)}\N{NO-BREAK SPACE}{SIGNS.get((language, currency), currency)}"
    return isolated(text) if locale_of(language).text_direction == "rtl" else text


def isolated(text: str) -> str:
    """`text` as one piece of its own direction in the text around it."""
    return f"{FIRST_STRONG_ISOLATE}{text}{END}"
