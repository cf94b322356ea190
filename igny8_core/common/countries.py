"""The country codes of ISO 3166-1 alpha-2."""

from babel import Locale

# CLDR's territories also include groupings (EU, UN), test codes and reserved codes of islands, which are no countries
# in ISO 3166. Kosovo's XK is widely used, but not assigned by ISO.
NOT_IN_ISO = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ".split())

COUNTRY_NAMES: dict[str, str] = {
    code: name
    for code, name in sorted(Locale("en").territories.items())
    if len(code) == 2 and code.isalpha() and code not in NOT_IN_ISO
}
