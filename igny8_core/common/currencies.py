"""The currencies of ISO 4217 that something can be sold in."""

from babel import Locale
from babel.numbers import get_territory_currencies

# Legal tender somewhere today. The standard also has codes for metals, units of account, testing and nothing at all
# (XAU, XDR, XTS, XXX), and CLDR those of the past: nobody pays in these.
CURRENCIES = frozenset(
    currency
    for territory in map(str, Locale("en").territories)
    if len(territory) == 2
    for currency in get_territory_currencies(territory)
)
