"""The ISO 4217 currencies that prices can be in."""

from babel import Locale
from babel.numbers import get_territory_currencies

# Legal tender somewhere today. ISO 4217 also has codes for metals, units of account, tests and no currency (XAU, XDR,
# XTS, XXX), and CLDR has past currencies. Nobody pays in those.
CURRENCIES = frozenset(
    currency
    for territory in map(str, Locale("en").territories)
    if len(territory) == 2
    for currency in get_territory_currencies(territory)
)
