"""The country codes of ISO 3166-1 alpha-2."""

from babel import Locale

# CLDR's territories also hold groupings (EU, UN), test codes and exceptionally reserved islands, which are no countries
# in the standard; Kosovo's XK is widely used but user-assigned.
NOT_IN_ISO = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ".split())

COUNTRY_NAMES: dict[str, str] = {
    code: name
    for code, name in sorted(Locale("en").territories.items())
    if len(code) == 2 and code.isalpha() and code not in NOT_IN_ISO
}
