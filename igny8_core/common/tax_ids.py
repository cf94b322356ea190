"""Tax numbers. Only a number that says by its look that it is a VAT number is checked; any other text is taken.

Countries have many kinds of tax numbers, and a customer with one that we do not know must still be able to sign up.
"""

import re

from igny8_core.common.countries import COUNTRY_NAMES

EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
# What stands in front of a country's VAT numbers: in the EU its code, for Greece also EL, for Northern Ireland XI.
PREFIXES = {**{code: (code,) for code in EU}, "GR": ("EL", "GR"), "GB": ("GB", "XI")}
# Without a prefix: shapes that no other number of the country has. Ten digits in Poland, say, may be of the register.
SHAPES = {
    "DE": r"[0-9]{9}",
    "FR": r"[0-9A-Z]{2}[0-9]{9}",
    "GB": r"[0-9]{9}",
    "IN": r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]Z[0-9A-Z]",
}
# Begins as a VAT number does, and is another: what Germany gives every business since 2024, for a part of it.
GERMAN_BUSINESS_NUMBER = re.compile(r"DE[0-9]{14}")
SEPARATORS = re.compile(r"[\s.\-/:]+")


def why_not_tax_id(tax_id: str, country: str) -> str | None:
    """A sentence on what is wrong with a tax number, or None when nothing is or nothing can be said.

    `country` is the billing country's code, empty where it is not known: then any text is a tax number.
    """
    number = SEPARATORS.sub("", tax_id).upper()
    prefix = _prefix(number, country)
    has_shape = country in SHAPES and re.fullmatch(SHAPES[country], number)
    if not (prefix or has_shape) or GERMAN_BUSINESS_NUMBER.fullmatch(number) or _is_vat_number(number, country):
        return None
    name = "GSTIN" if country == "IN" else f"VAT number of {COUNTRY_NAMES[country]}"
    way_out = f"write a tax number of another kind without {prefix} in front" if prefix else "compare each character"
    return f"This is no valid {name}: a character is wrong, missing or too many. Check it, or {way_out}."


def _prefix(number: str, country: str) -> str:
    """The prefix of VAT numbers that a number begins with; empty where it has no digits, as in EXEMPT."""
    is_number = re.fullmatch(r"[A-Z]*[0-9][A-Z0-9+*]*", number)
    return next((each for each in PREFIXES.get(country, ()) if is_number and number.startswith(each)), "")


def _is_vat_number(number: str, country: str) -> bool:
    # Here, not above: it reads lists of numbers, and most requests need none.
    from stdnum import get_cc_module

    rule = get_cc_module(country.lower(), "vat")
    return rule is None or rule.is_valid(number)
