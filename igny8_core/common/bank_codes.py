"""Checks the form and the check digits of IBAN (ISO 13616) and BIC (ISO 9362), not whether the bank exists."""

import re

from django.utils.translation import gettext as _

from igny8_core.common.countries import COUNTRY_NAMES

# Kosovo: banks write it as XK, but ISO 3166 has no code for it.
KOSOVO = "XK"


def why_not_iban(text: str) -> str | None:
    """A sentence that says what is wrong with an IBAN, or None. `text` is in capitals and without spaces."""
    # Imported here, because the library takes a tenth of a second to load and few requests need it.
    from schwifty import IBAN
    from schwifty.exceptions import InvalidChecksumDigits, InvalidCountryCode, InvalidLength, SchwiftyException

    expected = _("An IBAN is expected, for example GB29 NWBK 6016 1331 9268 19. Check its letters and digits.")
    # The library accepts the digits of every script.
    if not text.isascii():
        return expected
    iban = IBAN(text, allow_invalid=True)
    try:
        # Without the national check digits inside the number: some banks break those rules.
        iban.validate()
    except InvalidCountryCode:
        return _("An IBAN begins with a country code; %(value)s is none. Example: GB29 NWBK 6016 1331 9268 19.") % {
            "value": text[:2]
        }
    except InvalidLength:
        country = COUNTRY_NAMES.get(text[:2], text[:2])
        return _("An IBAN of %(country)s has %(iban_length)s characters, but this one has %(count)s.") % {
            "country": country,
            "iban_length": iban.spec.iban_length,
            "count": len(text),
        }
    except InvalidChecksumDigits:
        return _("The IBAN's check digits are wrong. A character is wrong, or two are swapped. Compare each character.")
    except SchwiftyException:
        return expected
    return None


def why_not_bic(text: str) -> str | None:
    """A sentence that says what is wrong with a BIC (SWIFT code), or None. `text` is in capitals."""
    from schwifty import BIC
    from schwifty.exceptions import InvalidCountryCode, InvalidLength, SchwiftyException

    if not re.fullmatch("[A-Z0-9]+", text):
        return _("A SWIFT code (BIC) has letters and digits and no spaces, for example DEUTDEFF.")
    try:
        BIC(text)
    except InvalidLength:
        return _("A SWIFT code (BIC) has 8 or 11 characters, for example DEUTDEFF, but this one has %(count)s.") % {
            "count": len(text)
        }
    except InvalidCountryCode:
        if text[4:6] == KOSOVO:
            return None
        return _("The fifth and sixth characters of a SWIFT code are a country code; %(value)s is none.") % {
            "value": text[4:6]
        }
    except SchwiftyException:
        return _("A SWIFT code (BIC) is expected, for example DEUTDEFF or DEUTDEFF500. Check each character.")
    return None
