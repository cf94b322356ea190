"""Checks tax numbers that look like VAT numbers (in India: GSTIN). Any other text is accepted as a tax number.

Countries have many kinds of tax numbers. A customer with a kind that we do not know must still be able to sign up.
"""

import re

from django.utils.translation import gettext as _

from igny8_core.common.countries import COUNTRY_NAMES

EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
# The prefixes of a country's VAT numbers: in the EU its code, for Greece also EL, for Northern Ireland XI.
PREFIXES = {**{code: (code,) for code in EU}, "GR": ("EL", "GR"), "GB": ("GB", "XI")}
# Forms without a prefix that no other number of the country has. (In Poland, ten digits can also be a register number.)
SHAPES = {
    "DE": r"[0-9]{9}",
    "FR": r"[0-9A-Z]{2}[0-9]{9}",
    "GB": r"[0-9]{9}",
    "IN": r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]Z[0-9A-Z]",
}
# Begins like a VAT number but is another: the business number that Germany issues since 2024.
GERMAN_BUSINESS_NUMBER = re.compile(r"DE[0-9]{14}")
SEPARATORS = re.compile(r"[\s.\-/:]+")


def why_not_tax_id(tax_id: str, country: str) -> str | None:
    """A sentence that says what is wrong with a tax number, or None if it is right or cannot be checked.

    `country` is the code of the billing country. If it is empty, any text is accepted.
    """
    number = SEPARATORS.sub("", tax_id).upper()
    prefix = _prefix(number, country)
    has_shape = country in SHAPES and re.fullmatch(SHAPES[country], number)
    if not (prefix or has_shape) or GERMAN_BUSINESS_NUMBER.fullmatch(number) or _is_vat_number(number, country):
        return None
    name = "GSTIN" if country == "IN" else _("VAT number of %(value)s") % {"value": COUNTRY_NAMES[country]}
    hint = (
        _("If it is another kind of tax number, write it without %(prefix)s.") % {"prefix": prefix}
        if prefix
        else _("Compare each character.")
    )
    return _("This is not a valid %(name)s: a character is wrong, missing or too many. %(hint)s") % {
        "name": name,
        "hint": hint,
    }


def _prefix(number: str, country: str) -> str:
    """The VAT prefix that a number begins with; empty if there is none, or if the text has no digits, as EXEMPT."""
    is_number = re.fullmatch(r"[A-Z]*[0-9][A-Z0-9+*]*", number)
    return next((each for each in PREFIXES.get(country, ()) if is_number and number.startswith(each)), "")


def _is_vat_number(number: str, country: str) -> bool:
    # Imported here, because the library reads lists of numbers that most requests do not need.
    from stdnum import get_cc_module

    rule = get_cc_module(country.lower(), "vat")
    return rule is None or rule.is_valid(number)
